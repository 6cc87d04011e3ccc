import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import type { Address } from './address.ts'
import { type EntryVersion, isLive } from './entry.ts'
import { type ConditionalWrite, type WriteDependencies, type WriteError, writeEntry } from './write-entry.ts'

/** Nothing is set at exactly this address. */
export type EntryNotFound = Readonly<{ kind: 'entry-not-found' }> & Address

/** Appends a tombstone: the address inherits again; answers the tombstone. */
export type UnsetConfig = (write: ConditionalWrite) => ResultAsync<EntryVersion, EntryNotFound | WriteError>

export function unsetConfig(deps: WriteDependencies): UnsetConfig {
  return (write) =>
    writeEntry(deps, write, (newest) => {
      if (!isLive(newest)) return errAsync(entryNotFound(write))
      return okAsync({ content: { op: 'delete', value: null } })
    })
}

export function entryNotFound({ component, key, scope }: Address): EntryNotFound {
  return { kind: 'entry-not-found', component, key, scope }
}
