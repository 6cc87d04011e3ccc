import type { CacheRecord, ConfigCache, RateLimiter, Revision } from '@cbp/core'
import { Command } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inProcessRateLimiter } from '../src/in-process/in-process-rate-limiter.ts'
import { nearCache } from '../src/in-process/near-cache.ts'
import { rateLimiterWithFallback } from '../src/rate-limiter-with-fallback.ts'
import { redisConfigCache } from '../src/redis/redis-config-cache.ts'
import type { RedisConnection } from '../src/redis/redis-connection.ts'
import { redisRateLimiter, type SharedRateLimiter } from '../src/redis/redis-rate-limiter.ts'
import { connectTo, freshNamespace, silent } from './harnesses.ts'
import { hasRedisServer, pause, type RedisCluster, realClock, startCluster, until } from './redis.ts'

const names = Array.from({ length: 24 }, (_, index) => `epoch:payments/limit-${index}/`)
const partitions = names.map((_, index) => `client ${index}`)
const limit = 25

function recordAt(stamp: number): CacheRecord {
  return { stamp: stamp as Revision, revision: stamp as Revision, entry: null }
}

function slotOf(text: string): number {
  return new Command('get', [`{${text}}`]).getSlot()
}

type Limiting = SharedRateLimiter | RateLimiter

type Load = Readonly<{
  /** Stops it; how often a read was answered, and what was admitted to each partition. */
  end: () => Promise<Readonly<{ answered: number; admitted: ReadonlyMap<string, number> }>>
}>

/** How to write under load: `true` tells that the record, or a newer one, is certainly held. */
type Cached = Pick<ConfigCache, 'read'> & Readonly<{ write: (name: string, record: CacheRecord) => Promise<boolean> }>

function far(connection: RedisConnection, namespace: string): Cached {
  const cache = redisConfigCache(connection, namespace)
  return { read: cache.read, write: async (name, record) => (await cache.keep(name, record, 60_000)) !== 'away' }
}

/** One that goes on without Redis, so that nothing is certain. */
function near(connection: RedisConnection, namespace: string): Cached {
  const cache = nearCache(redisConfigCache(connection, namespace), { clock: realClock, capacity: 100, ttlMs: 20 })
  return { read: cache.read, write: async (name, record) => cache.write(name, record, 60_000).then(() => false) }
}

/** Reads and writes all names and takes from all partitions, over and over; fails when an answer goes back in time. */
function load(caches: readonly Cached[], limiters: readonly Limiting[]): Load {
  const admitted = new Map<string, number>()
  let answered = 0
  let stamp = 0
  let isOver = false

  const round = async (cache: Cached, name: string): Promise<void> => {
    stamp += 1
    const written = stamp
    const isCertain = await cache.write(name, recordAt(written))
    const read = await cache.read(name)
    if (read === null) return
    answered += 1
    // Another writer may have been faster, but never with something older.
    if (isCertain) expect(read.stamp).toBeGreaterThanOrEqual(written)
  }
  const take = async (limiter: Limiting, partition: string): Promise<void> => {
    const decision = await limiter.take({ partition, limit, windowSeconds: 900, cost: 1 })
    if (decision?.allowed === true) admitted.set(partition, (admitted.get(partition) ?? 0) + 1)
  }
  const run = async (): Promise<void> => {
    while (!isOver) {
      await Promise.all([
        ...caches.flatMap((cache) => names.map((name) => round(cache, name))),
        ...limiters.flatMap((limiter) => partitions.map((partition) => take(limiter, partition))),
      ])
      await pause(1)
    }
  }
  const running = run()
  return {
    async end() {
      isOver = true
      await running
      return { answered, admitted }
    },
  }
}

describe.skipIf(!hasRedisServer())('a cluster of three masters', () => {
  let cluster: RedisCluster
  let connections: readonly RedisConnection[]

  beforeAll(async () => {
    cluster = await startCluster()
    connections = [1, 2].map(() => connectTo(cluster.url))
    await Promise.all(connections.map((each) => each.connect()))
  }, 30_000)
  afterAll(async () => {
    await Promise.all(connections.map((each) => each.close()))
    await cluster.stop()
  })

  const sharedIn = (namespace: string): readonly SharedRateLimiter[] => connections.map((each) => redisRateLimiter(each, namespace))
  const withFallback = (shared: readonly SharedRateLimiter[]): readonly RateLimiter[] =>
    shared.map((each) =>
      rateLimiterWithFallback({
        shared: each,
        local: inProcessRateLimiter({ capacity: 100, clock: realClock }),
        log: silent,
      }),
    )

  it('is well when all its masters answer', async () => {
    expect(await connections[0]?.health()).toEqual({ status: 'pass', output: 'all 3 nodes of Redis answer' })
  })

  it('L7, L19: hold without an error while slots move', async () => {
    const namespace = freshNamespace()
    const caches = connections.map((each) => far(each, namespace))
    const running = load(caches, sharedIn(namespace))
    const [first, second] = cluster.nodes
    if (first === undefined || second === undefined) throw new Error('no nodes')
    for (const text of [...names, ...partitions]) await cluster.moveSlot(slotOf(text), Math.random() < 0.5 ? first : second)
    const { answered, admitted } = await running.end()
    expect(answered).toBeGreaterThan(names.length)
    expect(Math.max(...admitted.values())).toBeLessThanOrEqual(limit)
    await until(async () => (await Promise.all(names.map(async (name) => caches[0]?.read(name)))).every((read) => read !== null))
  }, 30_000)

  it('L7, L19: hold without an error while a master is killed and comes back empty; the others serve on', async () => {
    const namespace = freshNamespace()
    const limiters = withFallback(sharedIn(namespace))
    const caches = connections.map((each) => far(each, namespace))
    const running = load([...caches, ...connections.map((each) => near(each, namespace))], limiters)
    await pause(300)
    const [victim] = cluster.nodes
    await victim?.kill()
    await until(async () => (await connections[0]?.health())?.status === 'warn')
    await pause(500)
    const servedNow = (await Promise.all(names.map(async (name) => caches[0]?.read(name)))).filter((read) => read !== null)
    expect(servedNow.length).toBeGreaterThan(0)
    await victim?.restart()
    await until(cluster.isWell)
    await until(async () => (await Promise.all(names.map(async (name) => caches[0]?.read(name)))).every((read) => read !== null))
    await until(async () => (await connections[0]?.health())?.status === 'pass')
    const { admitted } = await running.end()
    // What the master knew is lost, what the instances know is not.
    expect(Math.max(...admitted.values())).toBeLessThanOrEqual(limit * limiters.length)
  }, 60_000)
})
