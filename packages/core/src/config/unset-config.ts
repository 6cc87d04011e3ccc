import { err, ok, type ResultAsync } from 'neverthrow'
import { type EntryNotFound, type EntryVersion, entryNotFound, isLive } from './entry.ts'
import { type ConditionalWrite, type WriteDependencies, type WriteError, writeEntry } from './write-entry.ts'

/** Appends a tombstone: the address inherits again; answers the tombstone. */
export type UnsetConfig = (write: ConditionalWrite) => ResultAsync<EntryVersion, EntryNotFound | WriteError>

export function unsetConfig(deps: WriteDependencies): UnsetConfig {
  return (write) =>
    writeEntry(deps, write, (newest) => {
      if (!isLive(newest)) return err(entryNotFound(write))
      return ok({ content: { op: 'delete', value: null } })
    })
}
