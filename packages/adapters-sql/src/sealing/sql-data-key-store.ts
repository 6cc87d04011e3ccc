import type { DataKeyStore } from '@cbp/core'
import type { SqlEngine, Statement } from '../sql/engine.ts'
import { recordCodec } from '../sql/record-kind.ts'
import { dataKeyKind } from './data-key-kind.ts'
import { dataKeyStatements as sql } from './data-key-statements.ts'

/** Committed data keys over any SQL engine. */
export function sqlDataKeyStore(engine: SqlEngine): DataKeyStore {
  const { decodeRow } = recordCodec(dataKeyKind)
  return {
    dataKeys(purpose) {
      const statement: Statement =
        purpose === null ? { sql: sql.dataKeys, parameters: {} } : { sql: sql.dataKeysOf, parameters: { purpose } }
      return engine.read([statement], ([rows = []]) => rows.map(decodeRow))
    },
  }
}
