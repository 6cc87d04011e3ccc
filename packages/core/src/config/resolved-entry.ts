import type { Digest } from '../kernel/digest.ts'
import { canonicalJson, type JsonValue } from '../kernel/json.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import type { Address } from './address.ts'
import { type EntryVersion, entryEtag, isLive, type VersionNumber } from './entry.ts'
import { resolvedEtagPrefix } from './precondition.ts'
import { newestRevision, type Provenance, resolve } from './resolution.ts'

/** The value that counts at an address, with where it comes from. */
export type ResolvedEntry = Address &
  Readonly<{
    value: JsonValue
    /** The version of the most specific entry that counts; 0 when only the shipped default does. */
    version: VersionNumber
    /** The revision of the last change that could have shaped the value; never falls while the store lives. */
    revision: Revision
    provenance: readonly Provenance[]
    /** The ETag of the entry at exactly this scope, for If-Match; `null` when it is absent there. */
    entryEtag: string | null
    /** The strong ETag of this resolved value; begins `"r-`. */
    etag: string
  }>

export function resolveEntry(
  digest: Digest,
  at: Address,
  shipped: JsonValue | undefined,
  chain: readonly EntryVersion[],
): ResolvedEntry | null {
  const resolution = resolve(shipped, chain)
  if (resolution === null) return null
  const { value, provenance, version } = resolution
  const own = chain.at(-1)
  const revision = newestRevision(chain)
  const body = {
    component: at.component,
    key: at.key,
    scope: at.scope,
    value,
    version,
    revision,
    provenance,
    entryEtag: own?.scope === at.scope && isLive(own) ? entryEtag(own) : null,
  }
  return { ...body, etag: resolvedEtag(digest, revision, body) }
}

/** The ETag of anything resolved: the revision, then 64 bits of SHA-256 over the whole body. */
export function resolvedEtag(digest: Digest, revision: Revision, body: JsonValue): string {
  return `${resolvedEtagPrefix}${revision}-${digest.sha256(canonicalJson(body)).slice(0, 16)}"`
}
