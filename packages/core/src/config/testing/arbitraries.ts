import fc from 'fast-check'
import { anyInstant, anyJsonValue, anyReason, anyUuid } from '../../kernel/testing/arbitraries.ts'
import type { Revision } from '../../kernel/unit-of-work.ts'
import { type Address, type Component, type ConfigKey, reservedComponents, rootScope, type Scope, scopeChain } from '../address.ts'
import type { Cursor, WatchSelection } from '../changes.ts'
import { type Content, type EntryVersion, entryEtag, type VersionDraft, type VersionNumber } from '../entry.ts'
import type { Precondition } from '../precondition.ts'
import type { ResolvedEntry } from '../resolved-entry.ts'

const anySegment: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('production', 'first-cu', 'a', 'a-', 'z9') },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z][a-z0-9-]{0,62}$/) },
)

export const anyComponent: fc.Arbitrary<Component> = anySegment
  .filter((segment) => !reservedComponents.has(segment))
  .map((segment) => segment as Component)

export const anyKey: fc.Arbitrary<ConfigKey> = fc
  .array(fc.stringMatching(/^[a-z0-9]{1,4}(-[a-z0-9]{1,4}){0,2}$/), { minLength: 1, maxLength: 6 })
  .map((words) => words.join('.') as ConfigKey)

export const anyScope: fc.Arbitrary<Scope> = fc
  .array(anySegment, { maxLength: 4 })
  .map((segments) => (segments.length === 0 ? rootScope : (`/${segments.join('/')}` as Scope)))

export const anyAddress: fc.Arbitrary<Address> = fc.record({ component: anyComponent, key: anyKey, scope: anyScope })

/** Keys that order differently by code unit, by locale and by length. */
export const fewKeys: readonly ConfigKey[] = ['a', 'a-b', 'a.b', 'a0', 'ab', 'b', '0'].map((key) => key as ConfigKey)
export const fewComponents: readonly Component[] = ['payments', 'payments-eu', 'security'].map((name) => name as Component)
/** One chain and a branch beside it. */
export const fewScopes: readonly Scope[] = ['/', '/production', '/production/first-cu', '/production/second-cu', '/staging'].map(
  (scope) => scope as Scope,
)

/** Addresses of a small pool, so that they meet. */
export const anyFewAddress: fc.Arbitrary<Address> = fc.record({
  component: fc.constantFrom(...fewComponents),
  key: fc.constantFrom(...fewKeys),
  scope: fc.constantFrom(...fewScopes),
})

export const anyContent: fc.Arbitrary<Content> = fc.oneof(
  { weight: 3, arbitrary: anyJsonValue.map((value): Content => ({ op: 'put', value })) },
  { weight: 1, arbitrary: fc.constant<Content>({ op: 'delete', value: null }) },
)

export const anyHash: fc.Arbitrary<string> = fc.stringMatching(/^[0-9a-f]{32}$/)

/** Everything of a version but its place. */
export type VersionContent = Content & Pick<VersionDraft, 'hash' | 'actor' | 'reason' | 'requestId' | 'restoredFrom'>

export const anyVersionContent: fc.Arbitrary<VersionContent> = fc
  .tuple(anyContent, anyHash, anyReason, anyUuid, fc.option(fc.integer({ min: 1, max: 9 }), { freq: 8 }))
  .map(([content, hash, reason, requestId, restoredFrom]) => ({ ...content, hash, actor: 'cli:operator', reason, requestId, restoredFrom }))

export const anyVersionDraft: fc.Arbitrary<VersionDraft> = fc
  .tuple(anyAddress, anyVersionContent, fc.integer({ min: 1, max: 1_000_000 }))
  .map(([at, content, version]) => draftOf(at, version, content))

export function draftOf({ component, key, scope }: Address, version: VersionNumber, content: VersionContent): VersionDraft {
  return { component, key, scope, version, ...content }
}

export const anyRevision: fc.Arbitrary<Revision> = fc.integer({ min: 1, max: 1_000_000_000 }).map((revision) => revision as Revision)

export const anyEntryVersion: fc.Arbitrary<EntryVersion> = fc
  .tuple(anyVersionDraft, anyRevision, anyInstant)
  .map(([draft, revision, recordedAt]) => ({ ...draft, revision, recordedAt }))

/** The newest versions along the chain of one scope, with gaps and tombstones, as a store answers them. */
export const anyChain: fc.Arbitrary<Readonly<{ at: Address; chain: readonly EntryVersion[] }>> = anyAddress.chain((at) => {
  const scopes = scopeChain(at.scope)
  return fc.array(fc.option(anyEntryVersion), { minLength: scopes.length, maxLength: scopes.length }).map((versions) => ({
    at,
    chain: scopes.flatMap((scope, index): readonly EntryVersion[] => {
      const version = versions[index] ?? null
      return version === null ? [] : [{ ...version, component: at.component, key: at.key, scope }]
    }),
  }))
})

export const anyPrecondition: fc.Arbitrary<Precondition> = fc.oneof(
  fc.constant<Precondition>({ kind: 'absent' }),
  fc.nat(9).map((version): Precondition => ({ kind: 'version', version })),
  fc
    .array(fc.oneof(anyEntryVersion.map(entryEtag), fc.constantFrom('"r-7-0123456789abcdef"', '"gone"', 'W/"1-x"')), {
      minLength: 1,
      maxLength: 3,
    })
    .map((etags): Precondition => ({ kind: 'match', etags })),
)

export const anyWatchSelection: fc.Arbitrary<WatchSelection> = fc.record({
  component: fc.option(fc.constantFrom(...fewComponents)),
  scopes: fc.option(fc.constantFrom(...fewScopes).map(scopeChain)),
})

export const anyCursor: fc.Arbitrary<Cursor> = fc.record({ epoch: fc.stringMatching(/^[a-z0-9]{1,32}$/), revision: anyRevision })

export const anyResolvedEntry: fc.Arbitrary<ResolvedEntry> = fc
  .tuple(anyEntryVersion, anyHash)
  .map(([{ component, key, scope, value, version, revision }, hash]) => ({
    component,
    key,
    scope,
    value,
    version,
    revision,
    provenance: [{ pointer: '', scope, version, revision }],
    entryEtag: `"${version}-${hash}"`,
    etag: `"r-${revision}-${hash.slice(0, 16)}"`,
  }))
