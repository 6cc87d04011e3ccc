import type { CacheRecord, ConfigCache, Revision } from '@cbp/core'
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
})
