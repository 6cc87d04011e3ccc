import { err, ok, type Result } from 'neverthrow'
import { diffJson, type JsonDifference } from '../kernel/json.ts'
import { type EntryVersion, entryEtag, isLive, type LiveVersion, type VersionNumber } from './entry.ts'

/** What a writer requires of the entry as it is now (RFC 9110, 13.1). */
export type Precondition =
  /** If-Match: any of these strong entity tags, quotes included. */
  | Readonly<{ kind: 'match'; etags: readonly string[] }>
  /** If-None-Match: * */
  | Readonly<{ kind: 'absent' }>
  /** The number of the live version; 0 means absent. */
  | Readonly<{ kind: 'version'; version: VersionNumber }>

/** The entry is not what the writer last saw. Nothing was written. */
export type StaleVersion = Readonly<{
  kind: 'stale-version'
  /** The entry as it is now; `null` when it is absent. */
  current: LiveVersion | null
  /** What happened since the version that the writer named; empty when that version is not known. */
  differences: readonly JsonDifference[]
}>

/** The tag named belongs to a resolved value, which may be made of several entries. */
export type ResolvedEtagUsed = Readonly<{ kind: 'resolved-etag' }>

export const resolvedEtagPrefix = '"r-'

/**
 * Whether `newest`, the newest version at an address, satisfies the precondition. A tombstone counts as absent.
 * The number of the version that a refused writer had seen is in the error, for the caller to compute differences from.
 */
export function checkPrecondition(
  precondition: Precondition,
  newest: EntryVersion | null,
): Result<void, ResolvedEtagUsed | Readonly<{ kind: 'stale'; seen: VersionNumber | null }>> {
  const live = isLive(newest) ? newest : null
  if (precondition.kind === 'absent') return live === null ? ok() : err({ kind: 'stale', seen: 0 })
  if (precondition.kind === 'version') {
    return (live?.version ?? 0) === precondition.version ? ok() : err({ kind: 'stale', seen: precondition.version })
  }
  if (live !== null && precondition.etags.includes(entryEtag(live))) return ok()
  if (precondition.etags.some((etag) => etag.startsWith(resolvedEtagPrefix))) return err({ kind: 'resolved-etag' })
  return err({ kind: 'stale', seen: seenVersion(precondition.etags) })
}

export function staleVersion(seen: EntryVersion | null, newest: EntryVersion | null): StaleVersion {
  const current = isLive(newest) ? newest : null
  return {
    kind: 'stale-version',
    current,
    differences: diffJson(isLive(seen) ? seen.value : undefined, current?.value),
  }
}

/** The version number in the first tag that has the form of an entry's ETag. */
function seenVersion(etags: readonly string[]): VersionNumber | null {
  for (const etag of etags) {
    const digits = /^"([1-9]\d{0,14})-/.exec(etag)?.[1]
    if (digits !== undefined) return Number(digits)
  }
  return null
}
