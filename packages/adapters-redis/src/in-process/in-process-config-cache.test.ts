import type { CacheRecord, Component, ConfigCache, ConfigKey, JsonValue, ResolvedEntry, Revision, Scope, VersionNumber } from '@cbp/core'
import { configCacheContract, fakeClock } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import { inProcessConfigCache } from './in-process-config-cache.ts'

configCacheContract(async () => {
  const clock = fakeClock()
  return { cache: inProcessConfigCache({ capacity: 100, clock }), clock }
}, 200)

function recordAt(stamp: number): CacheRecord {
  return { stamp: stamp as Revision, revision: stamp as Revision, entry: null }
}

function entryOf(value: JsonValue): ResolvedEntry {
  const at = { component: 'shop' as Component, key: 'key' as ConfigKey, scope: '/' as Scope }
  return { ...at, value, version: 1 as VersionNumber, revision: 1 as Revision, provenance: [], entryEtag: null, etag: '"r-1"' }
}

async function holds(cache: ConfigCache, names: readonly string[]): Promise<readonly boolean[]> {
  return Promise.all(names.map(async (name) => (await cache.read(name)) !== null))
}

describe('inProcessConfigCache', () => {
  it('forgets what was not used for the longest time when it is full', async () => {
    const cache = inProcessConfigCache({ capacity: 2, clock: fakeClock() })
    await cache.write('a', recordAt(1), 1000)
    await cache.write('b', recordAt(1), 1000)
    await cache.read('a')
    await cache.write('c', recordAt(1), 1000)
    expect(await holds(cache, ['a', 'b', 'c'])).toEqual([true, false, true])
  })

  it('does not take a write that it refuses for use', async () => {
    const cache = inProcessConfigCache({ capacity: 2, clock: fakeClock() })
    await cache.write('a', recordAt(2), 1000)
    await cache.write('b', recordAt(1), 1000)
    await cache.write('a', recordAt(1), 1000)
    await cache.write('c', recordAt(1), 1000)
    expect(await holds(cache, ['a', 'b', 'c'])).toEqual([false, true, true])
  })

  it('keeps no more in memory than it may, however few records that are', async () => {
    const cache = inProcessConfigCache({ capacity: 100, maxBytes: 1_000_000, clock: fakeClock() })
    const names = Array.from({ length: 50 }, (_, index) => `name ${index}`)
    for (const name of names) await cache.write(name, { ...recordAt(1), entry: entryOf('x'.repeat(60_000)) }, 1000)
    const held = (await holds(cache, names)).filter(Boolean).length
    expect(held).toBeGreaterThanOrEqual(7)
    expect(held).toBeLessThanOrEqual(16)
  })

  it.each([
    ['numbers', Array.from({ length: 30_000 }, () => 1)],
    ['members', Object.fromEntries(Array.from({ length: 6_000 }, (_, index) => [`m${index}`, 1]))],
  ])('counts what %s take besides their text', async (_, value) => {
    const cache = inProcessConfigCache({ capacity: 100, maxBytes: 1_000_000, clock: fakeClock() })
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    for (const name of names) await cache.write(name, { ...recordAt(1), entry: entryOf(value) }, 1000)
    expect((await holds(cache, names)).filter(Boolean).length).toBeLessThanOrEqual(4)
  })

  it('holds nothing longer because the clock is set back', async () => {
    const clock = fakeClock()
    const cache = inProcessConfigCache({ capacity: 2, clock })
    await cache.write('a', recordAt(1), 1000)
    await clock.advance(-3_600_000)
    expect(await holds(cache, ['a'])).toEqual([false])
  })
})
