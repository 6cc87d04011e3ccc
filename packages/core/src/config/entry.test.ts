import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, type JsonValue } from '../kernel/json.ts'
import { anyCaller, anyJsonValue, anyReason, largestValue } from '../kernel/testing/arbitraries.ts'
import { fakeDigest } from '../kernel/testing/fake-digest.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { checkValue, contentHash, entryEtag, isLive, nextVersion, valueDepthLimit, valueLimitBytes } from './entry.ts'
import { anyAddress, anyContent, anyEntryVersion } from './testing/arbitraries.ts'

const digest = fakeDigest()

function nested(depth: number, wrap: (inner: JsonValue) => JsonValue): JsonValue {
  let value: JsonValue = 0
  for (let level = 0; level < depth; level += 1) value = wrap(value)
  return value
}

describe('checkValue', () => {
  itHolds(
    'takes any JSON value of ordinary size',
    100,
    fc.asyncProperty(anyJsonValue, async (value) => {
      expect(checkValue(value)._unsafeUnwrap()).toBe(value)
    }),
  )

  it('takes 64 KiB, and not a byte more', () => {
    expect(checkValue(largestValue).isOk()).toBe(true)
    expect(checkValue(`${largestValue}x`)._unsafeUnwrapErr().faults[0]).toMatchObject({ pointer: '', code: 'value-too-large' })
  })

  it('counts bytes, not letters', () => {
    expect(checkValue('漢'.repeat(Math.floor((valueLimitBytes - 2) / 3))).isOk()).toBe(true)
    expect(checkValue('漢'.repeat(Math.ceil((valueLimitBytes - 1) / 3))).isErr()).toBe(true)
  })

  it.each([
    ['lists', (inner: JsonValue): JsonValue => [inner]],
    ['objects', (inner: JsonValue): JsonValue => ({ a: inner })],
  ])('takes %s as deep as allowed, and no deeper', (_kind, wrap) => {
    expect(checkValue(nested(valueDepthLimit, wrap)).isOk()).toBe(true)
    expect(checkValue(nested(valueDepthLimit + 1, wrap))._unsafeUnwrapErr().faults[0]?.code).toBe('value-too-deep')
  })

  it('refuses a value nested deeper than any stack', () => {
    expect(checkValue(nested(1_000_000, (inner) => [inner]))._unsafeUnwrapErr().faults[0]?.code).toBe('value-too-deep')
  })
})

describe('nextVersion', () => {
  itHolds(
    'follows the current version, tombstones included, and says who wrote what and why',
    100,
    fc.asyncProperty(
      anyAddress,
      fc.option(anyEntryVersion),
      anyContent,
      anyCaller,
      anyReason,
      async (at, current, content, caller, reason) => {
        const draft = nextVersion(digest, at, current, { content, caller, reason })
        expect(draft).toEqual({
          ...at,
          ...content,
          version: (current?.version ?? 0) + 1,
          hash: contentHash(digest, content),
          actor: caller.client,
          requestId: caller.requestId,
          reason,
          restoredFrom: null,
        })
      },
    ),
  )

  it('remembers the version that was restored', () => {
    const [at] = fc.sample(anyAddress, { numRuns: 1, seed: 1 }) as [Parameters<typeof nextVersion>[1]]
    const caller = { client: 'cli:operator', requestId: 'request-1', traceparent: null }
    const draft = nextVersion(digest, at, null, { content: { op: 'put', value: 1 }, caller, reason: 'back', restoredFrom: 3 })
    expect(draft.restoredFrom).toBe(3)
  })
})

describe('contentHash', () => {
  itHolds(
    'is 32 hex digits, equal for equal content only',
    100,
    fc.asyncProperty(anyContent, anyContent, async (left, right) => {
      expect(contentHash(digest, left)).toMatch(/^[0-9a-f]{32}$/)
      const same = left.op === right.op && canonicalJson(left.value) === canonicalJson(right.value)
      expect(contentHash(digest, left) === contentHash(digest, right)).toBe(same)
    }),
  )

  it('tells null from a tombstone', () => {
    expect(contentHash(digest, { op: 'put', value: null })).not.toBe(contentHash(digest, { op: 'delete', value: null }))
  })
})

describe('entryEtag', () => {
  itHolds(
    'is a strong entity tag of version and hash',
    50,
    fc.asyncProperty(anyEntryVersion, async (version) => {
      expect(entryEtag(version)).toBe(`"${version.version}-${version.hash}"`)
      expect(entryEtag(version)).toMatch(/^"[\x21\x23-\x7e]+"$/)
    }),
  )
})

describe('isLive', () => {
  itHolds(
    'takes a tombstone for absent, and null for a value',
    50,
    fc.asyncProperty(fc.option(anyEntryVersion), async (version) => {
      expect(isLive(version)).toBe(version?.op === 'put')
    }),
  )
})
