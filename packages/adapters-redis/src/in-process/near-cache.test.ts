import type { CacheRecord, Revision } from '@cbp/core'
import { type FakeClock, fakeClock } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import { type FarCache, nearCache } from './near-cache.ts'

function recordAt(stamp: number): CacheRecord {
  return { stamp: stamp as Revision, revision: stamp as Revision, entry: null }
}

type Far = FarCache & { holds: CacheRecord | null; leftMs: number; isAway: boolean; reads: number }

function underTest(): Readonly<{ clock: FakeClock; far: Far; cache: ReturnType<typeof nearCache> }> {
  const clock = fakeClock()
  const far: Far = {
    holds: null,
    leftMs: 60_000,
    isAway: false,
    reads: 0,
    async readWithTimeLeft() {
      far.reads += 1
      return far.holds === null || far.isAway ? null : { record: far.holds, leftMs: far.leftMs }
    },
    async keep(_, record) {
      if (far.isAway) return 'away'
      if (far.holds !== null && far.holds.stamp >= record.stamp) return 'refused'
      far.holds = record
      return 'kept'
    },
  }
  return { clock, far, cache: nearCache(far, { clock, capacity: 10, ttlMs: 1000 }) }
}

describe('nearCache', () => {
  it('asks again only after its time, so that it lags by no more than that', async () => {
    const { cache, far, clock } = underTest()
    far.holds = recordAt(1)
    expect(await cache.read('a')).toEqual(recordAt(1))
    far.holds = recordAt(2)
    await clock.advance(999)
    expect(await cache.read('a')).toEqual(recordAt(1))
    expect(far.reads).toBe(1)
    await clock.advance(1)
    expect(await cache.read('a')).toEqual(recordAt(2))
  })

  it('serves nothing beyond the time that the record has left', async () => {
    const { cache, far, clock } = underTest()
    far.holds = recordAt(1)
    far.leftMs = 300
    await cache.read('a')
    far.holds = null
    await clock.advance(300)
    expect(await cache.read('a')).toBeNull()
  })

  it('L7: shows what the other holds when it refuses something older', async () => {
    const { cache, far } = underTest()
    far.holds = recordAt(2)
    await cache.write('a', recordAt(1), 1000)
    expect(await cache.read('a')).toEqual(recordAt(2))
  })

  it('L7: lets no slow read bring back what was replaced', async () => {
    const { cache, far } = underTest()
    far.holds = recordAt(1)
    const slow = cache.read('a')
    far.holds = null
    await cache.write('a', recordAt(2), 60_000)
    await slow
    expect(await cache.read('a')).toEqual(recordAt(2))
  })

  it('goes on by itself while the other is away', async () => {
    const { cache, far, clock } = underTest()
    far.isAway = true
    await cache.write('a', recordAt(1), 60_000)
    expect(await cache.read('a')).toEqual(recordAt(1))
    await clock.advance(1000)
    expect(await cache.read('a')).toBeNull()
  })

  it('keeps no more in memory than it may', async () => {
    const { far, clock } = underTest()
    const small = nearCache(far, { clock, capacity: 10, maxBytes: 5_000, ttlMs: 1000 })
    far.holds = recordAt(1)
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) await small.read(name)
    await small.read('a')
    await small.read('h')
    expect(far.reads).toBe(9)
  })

  it('asks again when the clock is set back, which tells nothing about how old a record is', async () => {
    const { cache, far, clock } = underTest()
    far.holds = recordAt(1)
    await cache.read('a')
    far.holds = recordAt(2)
    await clock.advance(-3_600_000)
    expect(await cache.read('a')).toEqual(recordAt(2))
  })
})
