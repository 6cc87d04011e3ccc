import { err, ok, type ResultAsync } from 'neverthrow'
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
    writeEntry<EntryNotFound | UnknownVersion>(
      deps,
      write,
      (newest, target) => {
        if (newest === null) return err(entryNotFound(write))
        if (target === null) return err({ kind: 'unknown-version', version: write.toVersion, newest: newest.version })
        return ok({ content: contentOf(target), restoredFrom: write.toVersion })
      },
      write.toVersion,
    )
}

function contentOf(version: EntryVersion): Content {
  return version.op === 'put' ? { op: 'put', value: version.value } : { op: 'delete', value: null }
}
