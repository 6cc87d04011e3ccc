import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, isJsonObject, type JsonValue, jsonObject, member } from '../kernel/json.ts'
import { anyJsonObject, anyJsonValue } from '../kernel/testing/arbitraries.ts'
import { fakeDigest } from '../kernel/testing/fake-digest.ts'
import { itHolds } from '../kernel/testing/property.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import type { Address, Scope } from './address.ts'
import { type EntryVersion, entryEtag } from './entry.ts'
import { newestRevision, type Resolution, resolve } from './resolution.ts'
import { resolveEntry } from './resolved-entry.ts'
import { anyChain } from './testing/arbitraries.ts'

const runs = 400

/** Values that often agree about a member, so that they merge deep down. */
const anyMergingValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom<JsonValue>(null, 0, 1, [], {}, [{ a: 1 }]),
    fc
      .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', '__proto__'), tie('value')), { maxLength: 3, selector: ([name]) => name })
      .map((members): JsonValue => jsonObject(members)),
  ),
})).value

const anyShipped = fc.option(fc.oneof(anyMergingValue, anyJsonObject), { nil: undefined })

const anyMergingChain = fc
  .tuple(anyChain, fc.array(fc.oneof(anyMergingValue, anyJsonValue), { minLength: 5, maxLength: 5 }))
  .map(([{ at, chain }, values]) => ({
    at,
    chain: chain.map((version, index): EntryVersion => (version.op === 'put' ? { ...version, value: values[index] ?? null } : version)),
  }))

/** Two values at a time: the lower one first. */
function merged(lower: JsonValue, upper: JsonValue): JsonValue {
  if (!isJsonObject(lower) || !isJsonObject(upper)) return upper
  const result = new Map<string, JsonValue>(Object.entries(lower))
  for (const [name, value] of Object.entries(upper)) {
    const below = result.get(name)
    result.set(name, below === undefined ? value : merged(below, value))
  }
  return jsonObject(result)
}

function naivelyResolved(shipped: JsonValue | undefined, chain: readonly EntryVersion[]): JsonValue | undefined {
  const values = chain.flatMap(({ op, value }) => (op === 'put' ? [value] : []))
  const layers = shipped === undefined ? values : [shipped, ...values]
  return layers.length === 0 ? undefined : layers.reduce(merged)
}

function at(value: JsonValue, pointer: string): JsonValue | undefined {
  const tokens = pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  return tokens.reduce<JsonValue | undefined>(
    (inner, token) => (inner !== undefined && isJsonObject(inner) ? member(inner, token) : undefined),
    value,
  )
}

describe('resolve', () => {
  itHolds(
    'L3: equals a naive model that merges two layers at a time',
    runs,
    fc.asyncProperty(anyShipped, anyMergingChain, async (shipped, { chain }) => {
      const expected = naivelyResolved(shipped, chain)
      const resolution = resolve(shipped, chain)
      expect(resolution === null ? undefined : canonicalJson(resolution.value)).toBe(
        expected === undefined ? undefined : canonicalJson(expected),
      )
    }),
  )

  itHolds(
    'L3: tells for every part of the value where it comes from',
    runs,
    fc.asyncProperty(anyShipped, anyMergingChain, async (shipped, { chain }) => {
      const resolution = resolve(shipped, chain)
      if (resolution === null) return
      const layerOf = (scope: Scope | null): JsonValue | undefined =>
        scope === null ? shipped : chain.find((each) => each.scope === scope)?.value
      for (const { pointer, scope } of resolution.provenance) {
        expect(canonicalJson(at(resolution.value, pointer) ?? null)).toBe(canonicalJson(at(layerOf(scope) as JsonValue, pointer) ?? null))
      }
      expectPartition(resolution)
    }),
  )

  itHolds(
    'is what was shipped where nothing else counts',
    50,
    fc.asyncProperty(anyJsonValue, async (shipped) => {
      expect(resolve(shipped, [])).toMatchObject({
        value: shipped,
        version: 0,
        provenance: [{ pointer: '', scope: null, version: 0, revision: 0 }],
      })
    }),
  )

  it('is nothing where nothing counts', () => {
    expect(resolve(undefined, [])).toBeNull()
  })

  const facts = {
    component: 'payments',
    key: 'retry',
    hash: '',
    actor: '',
    reason: '',
    requestId: '',
    restoredFrom: null,
    recordedAt: 0,
  } as unknown as EntryVersion
  const put = (scope: string, version: number, value: JsonValue): EntryVersion => ({
    ...facts,
    scope: scope as Scope,
    version,
    revision: (version * 10) as Revision,
    op: 'put',
    value,
  })
  const tombstone = (scope: string, version: number): EntryVersion => ({
    ...facts,
    scope: scope as Scope,
    version,
    revision: (version * 10) as Revision,
    op: 'delete',
    value: null,
  })

  it.each<readonly [string, JsonValue | undefined, readonly EntryVersion[], JsonValue]>([
    ['objects merge deeply', { a: { b: 1, c: 1 } }, [put('/', 1, { a: { c: 2 } })], { a: { b: 1, c: 2 } }],
    ['lists replace', [1, 2], [put('/', 1, [3])], [3]],
    ['null is a value', { a: 1 }, [put('/', 1, { a: null })], { a: null }],
    ['null over an object hides it, and what comes above starts afresh', { a: 1 }, [put('/', 1, null), put('/a', 1, { b: 1 })], { b: 1 }],
    ['an empty object adds nothing', { a: 1 }, [put('/', 1, {})], { a: 1 }],
    ['a tombstone inherits again', undefined, [put('/', 1, 'low'), tombstone('/a', 2)], 'low'],
    [
      'a tombstone in between lets the others merge',
      undefined,
      [put('/', 1, { a: 1 }), tombstone('/a', 2), put('/a/b', 1, { b: 1 })],
      { a: 1, b: 1 },
    ],
  ])('%s', (_case, shipped, chain, value) => {
    expect(resolve(shipped, chain)?.value).toEqual(value)
  })

  it('has the version of the most specific entry that counts', () => {
    expect(resolve(undefined, [put('/', 7, 1), put('/a', 2, 1), tombstone('/a/b', 5)])?.version).toBe(2)
  })

  it('counts tombstones among the changes that shaped a value', () => {
    expect(newestRevision([put('/', 1, 1), tombstone('/a', 9)])).toBe(90)
    expect(newestRevision([])).toBe(0)
  })
})

/** No part lies inside another, and every leaf of the value lies in one. */
function expectPartition({ value, provenance }: Resolution): void {
  const pointers = provenance.map(({ pointer }) => pointer)
  expect(new Set(pointers).size).toBe(pointers.length)
  for (const pointer of pointers) expect(pointers.some((other) => pointer.startsWith(`${other}/`))).toBe(false)
  for (const leaf of leavesOf(value, '')) {
    expect(pointers.filter((pointer) => leaf === pointer || leaf.startsWith(`${pointer}/`))).toHaveLength(1)
  }
}

function leavesOf(value: JsonValue, pointer: string): readonly string[] {
  if (!isJsonObject(value) || Object.keys(value).length === 0) return [pointer]
  return Object.entries(value).flatMap(([name, each]) => leavesOf(each, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`))
}

describe('resolveEntry', () => {
  const digest = fakeDigest()

  itHolds(
    'names the entry at exactly its own scope for If-Match, and only a live one',
    runs,
    fc.asyncProperty(anyShipped, anyMergingChain, async (shipped, chained) => {
      const resolved = resolveEntry(digest, chained.at, shipped, chained.chain)
      const own = chained.chain.find(({ scope }) => scope === chained.at.scope)
      if (resolved === null) return
      expect(resolved.entryEtag).toBe(own?.op === 'put' ? entryEtag(own) : null)
      expect(resolved.etag).toMatch(/^"r-\d+-[0-9a-f]{16}"$/)
    }),
  )

  itHolds(
    'has one ETag for one answer, and another for another value',
    runs,
    fc.asyncProperty(anyShipped, anyMergingChain, async (shipped, { at: address, chain }) => {
      const resolved = resolveEntry(digest, address, shipped, chain)
      if (resolved === null) return
      expect(resolveEntry(digest, address, shipped, [...chain])?.etag).toBe(resolved.etag)
      const elsewhere: Address = { ...address, key: 'elsewhere' as Address['key'] }
      expect(resolveEntry(digest, elsewhere, shipped, chain)?.etag).not.toBe(resolved.etag)
      const alone = resolveEntry(digest, address, { changed: resolved.value }, [])
      expect(alone?.etag).not.toBe(resolved.etag)
    }),
  )
})
