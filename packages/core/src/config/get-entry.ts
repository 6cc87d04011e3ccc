import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Address } from './address.ts'
import { type AsOf, type RevisionBeyondHead, revisionAsOf } from './as-of.ts'
import { type EntryNotFound, entryNotFound, isLive, type LiveVersion } from './entry.ts'
import type { ConfigStore } from './ports/config-store.ts'

/** The entry at exactly this address, nothing inherited: what a conditional write is made against. */
export type GetEntry = (at: Address, asOf?: AsOf | null) => ResultAsync<LiveVersion, EntryNotFound | RevisionBeyondHead | StoreUnavailable>

export function getEntry(store: ConfigStore): GetEntry {
  return (at, asOf = null) =>
    revisionAsOf(store, asOf)
      .andThen((revision) => store.chain(at.component, at.key, [at.scope], revision))
      .andThen(({ versions }) => {
        const version = versions[0] ?? null
        return isLive(version) ? okAsync<LiveVersion, EntryNotFound>(version) : errAsync<LiveVersion, EntryNotFound>(entryNotFound(at))
      })
}
