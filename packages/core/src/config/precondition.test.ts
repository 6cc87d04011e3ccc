import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../kernel/json.ts'
import { itHolds } from '../kernel/testing/property.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import type { Address } from './address.ts'
import { type EntryVersion, entryEtag, isLive } from './entry.ts'
import { checkPrecondition, type Precondition, staleVersion } from './precondition.ts'
import { anyEntryVersion, anyPrecondition } from './testing/arbitraries.ts'

const hash = '0123456789abcdef0123456789abcdef'
const facts = {
  ...({ component: 'payments', key: 'retry', scope: '/' } as Address),
  hash,
  actor: 'cli:operator',
  reason: 'test',
  requestId: 'request-1',
  restoredFrom: null,
  revision: 1 as Revision,
  recordedAt: 0,
}
const live: EntryVersion = { ...facts, version: 3, op: 'put', value: 1 }
const tombstone: EntryVersion = { ...facts, version: 4, op: 'delete', value: null }

const absent: Precondition = { kind: 'absent' }
const match = (...etags: readonly string[]): Precondition => ({ kind: 'match', etags })
const version = (number: number): Precondition => ({ kind: 'version', version: number })
const stale = (seen: number | null): object => ({ kind: 'stale', seen })

describe('checkPrecondition', () => {
  it.each<readonly [string, Precondition, EntryVersion | null, object | null]>([
    ['absent, nothing there', absent, null, null],
    ['absent, a tombstone', absent, tombstone, null],
    ['absent, a live entry', absent, live, stale(0)],
    ['version 0, nothing there', version(0), null, null],
    ['version 0, a tombstone', version(0), tombstone, null],
    ['version 0, a live entry', version(0), live, stale(0)],
    ['the live version', version(3), live, null],
    ['a version before', version(2), live, stale(2)],
    ['a version to come', version(4), live, stale(4)],
    ['the version of a tombstone', version(4), tombstone, stale(4)],
    ['a version, nothing there', version(1), null, stale(1)],
    ['the tag of the live entry', match(`"3-${hash}"`), live, null],
    ['that tag among others', match('"x"', '"r-9-0123456789abcdef"', `"3-${hash}"`), live, null],
    ['the tag of another version', match(`"2-${hash}"`), live, stale(2)],
    ['the version with another hash', match(`"3-${hash.replace('0', 'f')}"`), live, stale(3)],
    ['the tag of a tombstone', match(entryEtag(tombstone)), tombstone, stale(4)],
    ['a tag, nothing there', match(`"1-${hash}"`), null, stale(1)],
    ['a weak tag', match(`W/"3-${hash}"`), live, stale(null)],
    ['a tag of no form we know', match('"3"'), live, stale(null)],
    ['no tag at all', match(), live, stale(null)],
    ['the tag of a resolved value', match('"r-3-0123456789abcdef"'), live, { kind: 'resolved-etag' }],
    ['the tag of a resolved value, nothing there', match('"r-3-0123456789abcdef"'), null, { kind: 'resolved-etag' }],
  ])('holds %s', (_case, precondition, newest, refusal) => {
    const outcome = checkPrecondition(precondition, newest)
    expect(outcome.isOk() ? null : outcome.error).toEqual(refusal)
  })

  itHolds(
    'L2: once a condition that names a state held and a version was written, it does not hold again',
    200,
    fc.asyncProperty(anyPrecondition, fc.option(anyEntryVersion), async (precondition, newest) => {
      if (checkPrecondition(precondition, newest).isErr()) return
      const written: EntryVersion = { ...facts, version: (newest?.version ?? 0) + 1, op: 'put', value: 'new', hash: 'f'.repeat(32) }
      expect(checkPrecondition(precondition, written).isErr()).toBe(true)
    }),
  )
})

describe('staleVersion', () => {
  it('tells what happened since the version seen', () => {
    const seen: EntryVersion = { ...facts, version: 2, op: 'put', value: 0 }
    expect(staleVersion(seen, live)).toEqual({
      kind: 'stale-version',
      current: live,
      differences: [{ op: 'replace', pointer: '', before: 0, after: 1 }],
    })
  })

  it('takes a tombstone for absent on both sides', () => {
    expect(staleVersion(tombstone, live)).toMatchObject({ current: live, differences: [{ op: 'add', pointer: '' }] })
    expect(staleVersion(live, tombstone)).toMatchObject({ current: null, differences: [{ op: 'remove', pointer: '' }] })
  })

  itHolds(
    'differs nowhere when the value seen is the current one',
    100,
    fc.asyncProperty(fc.option(anyEntryVersion), async (seen) => {
      const { current, differences } = staleVersion(seen, seen)
      expect(differences).toEqual([])
      expect(canonicalJson(current?.value ?? null)).toBe(canonicalJson(isLive(seen) ? seen.value : null))
    }),
  )
})
