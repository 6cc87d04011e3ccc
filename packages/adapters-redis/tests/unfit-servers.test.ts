import type { CacheRecord, Revision } from '@cbp/core'
import { fakeLog } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import { redisConfigCache } from '../src/redis/redis-config-cache.ts'
import { redisRateLimiter } from '../src/redis/redis-rate-limiter.ts'
import { connectTo, freshNamespace, patient, silent } from './harnesses.ts'
import { hasRedisServer, pause, startCluster, startRedis, until } from './redis.ts'

const record: CacheRecord = { stamp: 1 as Revision, revision: 1 as Revision, entry: null }
const request = { partition: 'client a', limit: 10, windowSeconds: 900, cost: 1 }

describe.skipIf(!hasRedisServer())('a Redis server that answers and is of no use', () => {
  it.each([
    ['is full', 'OOM', ['maxmemory', '1'], ['maxmemory', '0']],
    ['is a replica', 'READONLY', ['replicaof', '127.0.0.1 1'], ['replicaof', 'no one']],
  ] as const)('is told of by health and once in the log when it %s, and not once it takes writes again', async (_, fault, on, off) => {
    const server = await startRedis('--replica-serve-stale-data', 'yes')
    const switchTo = ([name, value]: readonly [string, string]): Promise<unknown> =>
      name === 'replicaof' ? server.admin.call('REPLICAOF', ...value.split(' ')) : server.admin.config('SET', name, value)
    const log = fakeLog()
    let now = 1_000_000
    const connection = connectTo(`redis://127.0.0.1:${server.port}`, log, {}, { ...patient, clock: { now: () => now, sleep: pause } })
    try {
      await connection.connect()
      await switchTo(on)
      const cache = redisConfigCache(connection, freshNamespace())
      const limiter = redisRateLimiter(connection, freshNamespace())
      for (let time = 0; time < 20; time += 1) {
        expect(await cache.keep('a', record, 1000)).toBe('away')
        expect(await limiter.take(request)).toBeNull()
      }
      expect(await cache.read('a')).toBeNull()
      expect(await connection.health()).toEqual({ status: 'warn', output: expect.stringContaining(fault) })
      expect(log.entries).toMatchObject([{ level: 'warn', fields: { reason: expect.stringContaining(fault) } }])
      await switchTo(off)
      now += 60_000
      await until(async () => (await cache.keep('a', record, 1000)) === 'kept')
      expect(await limiter.take(request)).toMatchObject({ allowed: true })
      expect(await connection.health()).toMatchObject({ status: 'pass' })
    } finally {
      await connection.close()
      await server.stop()
    }
  })

  it('is said to be of a cluster when it is, and only one is named', async () => {
    const cluster = await startCluster()
    const connection = connectTo(cluster.url.split(',')[0] ?? '', silent)
    try {
      await connection.connect()
      const cache = redisConfigCache(connection, freshNamespace())
      await until(async () => {
        await Promise.all(Array.from({ length: 20 }, async (_, index) => cache.read(`name ${index}`)))
        return (await connection.health()).status === 'warn'
      })
      expect((await connection.health()).output).toContain('belongs to a Redis Cluster')
      // A cluster that has one address for all its nodes is named by it twice.
      const [url] = cluster.url.split(',')
      const twice = connectTo(`${url},${url}`, silent, {}, patient)
      await twice.connect()
      expect(await redisConfigCache(twice, freshNamespace()).keep('a', record, 1000)).toBe('kept')
      await twice.close()
    } finally {
      await connection.close()
      await cluster.stop()
    }
  }, 30_000)
})
