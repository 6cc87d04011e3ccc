import type { EntryVersion, JsonValue } from '@cbp/core'
import type { SqlRow, SqlValue } from '../sql/engine.ts'

/** The columns of a version, in the order that `versionFromColumns` takes them. */
export const versionColumns =
  'v.version, v.revision, v.op, v.value, v.hash, v.actor, v.reason, v.request_id, v.restored_from, v.recorded_at'

type VersionAddress = Pick<EntryVersion, 'component' | 'key' | 'scope'>

/** Reads `versionColumns` where speed counts; the address is what was asked for. */
export function versionFromColumns(at: VersionAddress, columns: readonly SqlValue[], first: number): EntryVersion {
  return {
    component: at.component,
    key: at.key,
    scope: at.scope,
    version: columns[first],
    revision: columns[first + 1],
    op: columns[first + 2],
    value: JSON.parse(columns[first + 3] as string) as JsonValue,
    hash: columns[first + 4],
    actor: columns[first + 5],
    reason: columns[first + 6],
    requestId: columns[first + 7],
    restoredFrom: columns[first + 8],
    recordedAt: columns[first + 9],
  } as EntryVersion
}

export function versionFromRow(at: VersionAddress, row: SqlRow): EntryVersion {
  return {
    component: at.component,
    key: at.key,
    scope: at.scope,
    version: row['version'],
    revision: row['revision'],
    op: row['op'],
    value: JSON.parse(row['value'] as string) as JsonValue,
    hash: row['hash'],
    actor: row['actor'],
    reason: row['reason'],
    requestId: row['request_id'],
    restoredFrom: row['restored_from'],
    recordedAt: row['recorded_at'],
  } as EntryVersion
}
