import type { ResultAsync } from 'neverthrow'
import type { Digest } from '../kernel/digest.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import { type Component, type ConfigKey, type Scope, scopeChain } from './address.ts'
import { type AsOf, type RevisionBeyondHead, revisionAsOf } from './as-of.ts'
import { type Cursor, formatCursor } from './changes.ts'
import type { EntryVersion } from './entry.ts'
import type { ConfigStore } from './ports/config-store.ts'
import { newestRevision } from './resolution.ts'
import { type ResolvedEntry, resolvedEtag, resolveEntry } from './resolved-entry.ts'
import { shippedDefaultsOf } from './shipped-defaults.ts'

/** Every setting of a component as it counts at a scope, all at one revision. */
export type ComponentSnapshot = Readonly<{
  component: Component
  scope: Scope
  /** The revision of the store that the snapshot shows. */
  revision: Revision
  /** Where a watch of this snapshot goes on without missing or repeating anything. */
  cursor: Cursor
  /** By key. */
  entries: readonly ResolvedEntry[]
  etag: string
}>

export type GetSnapshot = (
  component: Component,
  scope: Scope,
  asOf?: AsOf | null,
) => ResultAsync<ComponentSnapshot, RevisionBeyondHead | StoreUnavailable>

export function getSnapshot(deps: Readonly<{ store: ConfigStore; digest: Digest }>): GetSnapshot {
  const { store, digest } = deps
  return (component, scope, asOf = null) =>
    store.head().andThen(({ epoch }) =>
      revisionAsOf(store, asOf)
        .andThen((at) => store.snapshot(component, scopeChain(scope), at))
        .map(({ revision, versions }) => {
          const entries = resolveAll(digest, component, scope, versions)
          const cursor: Cursor = { epoch, revision }
          const etag = resolvedEtag(digest, newestRevision(versions), [
            formatCursor({ ...cursor, revision: newestRevision(versions) }),
            scope,
            ...entries.map((entry) => entry.etag),
          ])
          return { component, scope, revision, cursor, entries, etag }
        }),
    )
}

function resolveAll(digest: Digest, component: Component, scope: Scope, versions: readonly EntryVersion[]): readonly ResolvedEntry[] {
  const shipped = shippedDefaultsOf(component)
  const chains = new Map<ConfigKey, EntryVersion[]>([...shipped.keys()].map((key) => [key, []]))
  for (const version of versions) {
    const chain = chains.get(version.key)
    if (chain === undefined) chains.set(version.key, [version])
    else chain.push(version)
  }
  return [...chains.keys()].sort().flatMap((key) => {
    const entry = resolveEntry(digest, { component, key, scope }, shipped.get(key), chains.get(key) ?? [])
    return entry === null ? [] : [entry]
  })
}
