import type { DataKey, DataKeyPurpose } from '@cbp/core'
import { integer, oneOf, type RecordKind, text } from '../sql/record-kind.ts'

/** Named as keys, so that a purpose that is added cannot be left out. */
const purposes: Readonly<Record<DataKeyPurpose, true>> = { 'api-key-pepper': true, 'audit-chain': true }

export const dataKeyKind: RecordKind<DataKey, 'purpose' | 'version'> = {
  name: 'data key',
  table: 'data_keys',
  key: ['purpose', 'version'],
  columns: { purpose: oneOf(Object.keys(purposes)), version: integer, sealed: text, created_at: integer },
  toValues: (row) => [row.purpose, row.version, row.sealed, row.createdAt],
  fromValues: ([purpose, version, sealed, createdAt]) => ({ purpose, version, sealed, createdAt }) as DataKey,
}
