import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import type { Instant } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import type { ConfigStore } from './ports/config-store.ts'

/** A point in the history of the store. */
export type AsOf = Readonly<{ kind: 'revision'; revision: Revision }> | Readonly<{ kind: 'instant'; instant: Instant }>

export type RevisionBeyondHead = Readonly<{ kind: 'revision-beyond-head'; revision: Revision; head: Revision }>

/** The revision a reader means; `null`, which stands for the head, when it names no point. */
export function revisionAsOf(store: ConfigStore, asOf: AsOf | null): ResultAsync<Revision | null, RevisionBeyondHead | StoreUnavailable> {
  if (asOf === null) return okAsync(null)
  if (asOf.kind === 'instant') return store.revisionAt(asOf.instant)
  return store.head().andThen((head) => {
    if (asOf.revision <= head.revision) return okAsync<Revision | null, RevisionBeyondHead>(asOf.revision)
    return errAsync<Revision | null, RevisionBeyondHead>({ kind: 'revision-beyond-head', revision: asOf.revision, head: head.revision })
  })
}
