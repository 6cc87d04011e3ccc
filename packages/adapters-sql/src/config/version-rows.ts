import type { EntryVersion } from '@cbp/core'
import type { SqlRow, SqlValue } from '../sql/engine.ts'
import { parseStored } from '../sql/stored-json.ts'

/** In the order that `versionFromColumns` takes them. */
const names = ['version', 'revision', 'op', 'value', 'hash', 'actor', 'reason', 'request_id', 'restored_from', 'recorded_at'] as const

export const versionColumns: string = names.map((name) => `v.${name}`).join(', ')

type VersionAddress = Pick<EntryVersion, 'component' | 'key' | 'scope'>

/** Reads `versionColumns`, which begin at `first`; the address is what was asked for. */
export function versionFromColumns(at: VersionAddress, columns: readonly (SqlValue | undefined)[], first: number): EntryVersion {
  return {
    component: at.component,
    key: at.key,
    scope: at.scope,
    version: columns[first],
    revision: columns[first + 1],
    op: columns[first + 2],
    value: parseStored(columns[first + 3], () => `version ${columns[first]} of ${at.component} ${at.key} ${at.scope}`),
    hash: columns[first + 4],
    actor: columns[first + 5],
    reason: columns[first + 6],
    requestId: columns[first + 7],
    restoredFrom: columns[first + 8],
    recordedAt: columns[first + 9],
  } as EntryVersion
}

export function versionFromRow(at: VersionAddress, row: SqlRow): EntryVersion {
  return versionFromColumns(
    at,
    names.map((name) => row[name]),
    0,
  )
}
