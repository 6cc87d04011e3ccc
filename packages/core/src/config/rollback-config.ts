import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import { type Content, type EntryNotFound, type EntryVersion, entryNotFound, type VersionNumber } from './entry.ts'
import { type ConditionalWrite, type WriteDependencies, type WriteError, writeEntry } from './write-entry.ts'

/** The entry has no version of that number to return to. */
export type UnknownVersion = Readonly<{ kind: 'unknown-version'; version: VersionNumber; newest: VersionNumber }>

/** Appends a new version with the content of an older one, tombstones included; answers the version made. */
export type RollbackConfig = (
  write: ConditionalWrite & Readonly<{ toVersion: VersionNumber }>,
) => ResultAsync<EntryVersion, EntryNotFound | UnknownVersion | WriteError>

export function rollbackConfig(deps: WriteDependencies): RollbackConfig {
  return (write) =>
    writeEntry<EntryNotFound | UnknownVersion | StoreUnavailable>(deps, write, (newest, tx) => {
      if (newest === null) return errAsync(entryNotFound(write))
      return tx.version(write, write.toVersion).andThen((target) => {
        if (target === null) {
          return errAsync<Restored, UnknownVersion>({ kind: 'unknown-version', version: write.toVersion, newest: newest.version })
        }
        return okAsync<Restored, UnknownVersion>({ content: contentOf(target), restoredFrom: write.toVersion })
      })
    })
}

type Restored = Readonly<{ content: Content; restoredFrom: VersionNumber }>

function contentOf(version: EntryVersion): Content {
  return version.op === 'put' ? { op: 'put', value: version.value } : { op: 'delete', value: null }
}
