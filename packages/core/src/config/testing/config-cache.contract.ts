import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Instant } from '../../kernel/clock.ts'
import { anyText } from '../../kernel/testing/arbitraries.ts'
import { type Harness, over, type TestClock } from '../../kernel/testing/harness.ts'
import { itHolds } from '../../kernel/testing/property.ts'
import type { Revision } from '../../kernel/unit-of-work.ts'
import type { CacheRecord, ConfigCache } from '../ports/config-cache.ts'
import { anyResolvedEntry } from './arbitraries.ts'

export type ConfigCacheHarness = Harness<Readonly<{ cache: ConfigCache; clock: TestClock }>>

const name = 'payments retry.max-attempts /production'
const ttlMs = 60_000

function recordAt(stamp: number): CacheRecord {
  return { stamp: stamp as Revision, revision: stamp as Revision, entry: null }
}

/**
 * The laws of `ConfigCache`.
 *
 * @param open an empty cache with room for a few hundred records and no reason to forget one before its time
 */
export function configCacheContract(open: () => Promise<ConfigCacheHarness>, numRuns = 50): void {
  describe('ConfigCache', () => {
    exampleContract(open)
    modelContract(open, numRuns)
  })
}

function exampleContract(open: () => Promise<ConfigCacheHarness>): void {
  it(
    'reads as empty where nothing was written',
    over(open, async ({ cache }) => {
      expect(await cache.read(name)).toBeNull()
    }),
  )

  itHolds(
    'reads back what was written',
    20,
    fc.asyncProperty(anyResolvedEntry, (entry) =>
      over(open, async ({ cache }) => {
        const record: CacheRecord = { stamp: entry.revision, revision: entry.revision, entry }
        await cache.write(name, record, ttlMs)
        expect(await cache.read(name)).toEqual(record)
      })(),
    ),
  )

  it(
    'remembers that nothing resolves, apart from knowing nothing',
    over(open, async ({ cache }) => {
      await cache.write(name, recordAt(0), ttlMs)
      expect(await cache.read(name)).toEqual(recordAt(0))
    }),
  )

  it(
    'lets a newer record take the place of an older one',
    over(open, async ({ cache }) => {
      await cache.write(name, recordAt(1), ttlMs)
      await cache.write(name, recordAt(2), ttlMs)
      expect(await cache.read(name)).toEqual(recordAt(2))
    }),
  )

  it(
    'L7: lets no older record take the place of a newer one',
    over(open, async ({ cache }) => {
      await cache.write(name, recordAt(2), ttlMs)
      await cache.write(name, recordAt(1), ttlMs)
      expect(await cache.read(name)).toEqual(recordAt(2))
    }),
  )

  it(
    'compares stamps as numbers',
    over(open, async ({ cache }) => {
      await cache.write(name, recordAt(9), ttlMs)
      await cache.write(name, recordAt(10), ttlMs)
      expect(await cache.read(name)).toEqual(recordAt(10))
    }),
  )

  it(
    'L7: keeps the newest of racing writes',
    over(open, async ({ cache }) => {
      await Promise.all([3, 1, 5, 2, 4].map((stamp) => cache.write(name, recordAt(stamp), ttlMs)))
      expect(await cache.read(name)).toEqual(recordAt(5))
    }),
  )

  it(
    'has forgotten a record when its time is over',
    over(open, async ({ cache, clock }) => {
      await cache.write(name, recordAt(1), ttlMs)
      await clock.advance(ttlMs - 1)
      expect(await cache.read(name)).toEqual(recordAt(1))
      await clock.advance(1)
      expect(await cache.read(name)).toBeNull()
    }),
  )

  it(
    'gives no more time to a record that is written again',
    over(open, async ({ cache, clock }) => {
      await cache.write(name, recordAt(1), ttlMs)
      await clock.advance(ttlMs - 1)
      await cache.write(name, recordAt(1), ttlMs)
      await clock.advance(1)
      expect(await cache.read(name)).toBeNull()
    }),
  )

  it(
    'takes any record where the one before is over',
    over(open, async ({ cache, clock }) => {
      await cache.write(name, recordAt(2), 1000)
      await clock.advance(1000)
      await cache.write(name, recordAt(1), ttlMs)
      expect(await cache.read(name)).toEqual(recordAt(1))
    }),
  )
}

type Step =
  | Readonly<{ kind: 'write'; name: string; stamp: number; ttlMs: number }>
  | Readonly<{ kind: 'advance'; ms: number }>
  | Readonly<{ kind: 'read'; name: string }>

function anySteps(): fc.Arbitrary<readonly Step[]> {
  return fc.uniqueArray(fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor')), { minLength: 1, maxLength: 3 }).chain((names) => {
    const anyName = fc.constantFrom(...names)
    return fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('write' as const), name: anyName, stamp: fc.nat(5), ttlMs: fc.constantFrom(1000, 3000) }),
        fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(1, 999, 1000) }),
        fc.record({ kind: fc.constant('read' as const), name: anyName }),
      ),
      { maxLength: 30, size: 'max' },
    )
  })
}

function modelContract(open: () => Promise<ConfigCacheHarness>, numRuns: number): void {
  itHolds(
    'agrees with a naive model',
    numRuns,
    fc.asyncProperty(anySteps(), (steps) =>
      over(open, async ({ cache, clock }) => {
        const kept: Readonly<{ name: string; stamp: number; until: Instant }>[] = []
        const held = (wanted: string): number | null => {
          const newest = kept.findLast((each) => each.name === wanted)
          return newest !== undefined && newest.until > clock.now() ? newest.stamp : null
        }
        for (const step of steps) {
          if (step.kind === 'advance') await clock.advance(step.ms)
          if (step.kind === 'read') expect((await cache.read(step.name))?.stamp ?? null).toBe(held(step.name))
          if (step.kind !== 'write') continue
          const before = held(step.name)
          await cache.write(step.name, recordAt(step.stamp), step.ttlMs)
          if (before === null || before < step.stamp) kept.push({ name: step.name, stamp: step.stamp, until: clock.now() + step.ttlMs })
        }
      })(),
    ),
  )
}
