import type { ApiKeyStore } from '@cbp/core'
import type { SqlEngine } from '../sql/engine.ts'
import { given } from '../sql/given.ts'
import { recordCodec } from '../sql/record-kind.ts'
import { apiKeyKind, apiKeyUseKind } from './api-key-kinds.ts'
import { apiKeyStatements } from './api-key-statements.ts'

/** Committed API keys over any SQL engine. */
export function sqlApiKeyStore(engine: SqlEngine): ApiKeyStore {
  const sql = apiKeyStatements(engine.dialect)
  const keys = recordCodec(apiKeyKind)
  const uses = recordCodec(apiKeyUseKind)
  return {
    apiKey: (id) =>
      engine.read([{ sql: sql.apiKey, parameters: { id } }], ([rows]) => {
        const row = rows?.[0]
        return row === undefined ? null : keys.decodeRow(row)
      }),
    apiKeys(owner, before, limit) {
      const listing = { owner: owner !== null, before: before !== null }
      const parameters = { ...given({ owner, before }), limit }
      return engine.read([{ sql: sql.apiKeys(listing), parameters }], ([rows = []]) => rows.map(keys.decodeRow))
    },
    apiKeyUses(ids) {
      const parameters = { ids: JSON.stringify([...new Set(ids)]) }
      return engine.read([{ sql: sql.apiKeyUses, parameters }], ([rows = []]) => rows.map(uses.decodeRow))
    },
    dueForWarning: (now, limit) =>
      engine.read([{ sql: sql.dueForWarning, parameters: { now, limit } }], ([rows = []]) => rows.map(keys.decodeRow)),
  }
}
