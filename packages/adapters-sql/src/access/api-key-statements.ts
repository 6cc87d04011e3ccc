import type { Dialect } from '../sql/engine.ts'
import { newestFirst } from '../sql/newest-first.ts'
import { columnsOf } from '../sql/record-kind.ts'
import { recordStatements } from '../sql/record-statements.ts'
import { apiKeyKind, apiKeyUseKind } from './api-key-kinds.ts'

export type ApiKeyStatements = Readonly<{
  apiKey: string
  apiKeys: (given: Readonly<{ owner: boolean; before: boolean }>) => string
  apiKeyUses: string
  dueForWarning: string
}>

export function apiKeyStatements(dialect: Dialect): ApiKeyStatements {
  return {
    apiKey: recordStatements(apiKeyKind).find,
    apiKeys: ({ owner, before }) => newestFirst(dialect, apiKeyKind, [owner ? 'owner = @owner' : ''], before ? ['id < @before'] : []),
    // CROSS JOIN, because SQLite keeps to its order: those that are asked for come first.
    apiKeyUses: `SELECT ${columnsOf(apiKeyUseKind)} FROM ${dialect.list('@ids')} ids CROSS JOIN api_key_uses WHERE key_id = ids.item`,
    dueForWarning: `SELECT ${columnsOf(apiKeyKind)} FROM api_keys WHERE warn_at <= @now ORDER BY warn_at, id ${dialect.limit('@limit')}`,
  }
}
