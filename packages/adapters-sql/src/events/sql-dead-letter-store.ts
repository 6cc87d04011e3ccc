import type { DeadLetterStore } from '@cbp/core'
import type { SqlEngine } from '../sql/engine.ts'
import { given } from '../sql/given.ts'
import { recordCodec } from '../sql/record-kind.ts'
import { deadLetterStatements } from './dead-letter-statements.ts'
import { deadLetterKind } from './inbox-kinds.ts'

/** Committed dead letters over any SQL engine. */
export function sqlDeadLetterStore(engine: SqlEngine): DeadLetterStore {
  const sql = deadLetterStatements(engine.dialect)
  const letters = recordCodec(deadLetterKind)
  return {
    deadLetter: (id) =>
      engine.read([{ sql: sql.deadLetter, parameters: { id } }], ([rows]) => {
        const row = rows?.[0]
        return row === undefined ? null : letters.decodeRow(row)
      }),
    deadLetters({ consumer, state }, before, limit) {
      const listing = { consumer: consumer !== null, state: state !== null, before: before !== null }
      const parameters = { ...given({ consumer, state, before }), limit }
      return engine.read([{ sql: sql.deadLetters(listing), parameters }], ([rows = []]) => rows.map(letters.decodeRow))
    },
    deadCount: () => engine.read([{ sql: sql.deadCount, parameters: {} }], ([rows]) => Number(rows?.[0]?.['letters'] ?? 0)),
  }
}
