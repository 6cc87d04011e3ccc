import type { RateLimiter } from '@cbp/core'
import { configCacheContract, fakeClock, rateLimiterContract } from '@cbp/core/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe } from 'vitest'
import { inProcessRateLimiter } from '../src/in-process/in-process-rate-limiter.ts'
import { rateLimiterWithFallback } from '../src/rate-limiter-with-fallback.ts'
import type { RedisConnection } from '../src/redis/redis-connection.ts'
import { redisRateLimiter } from '../src/redis/redis-rate-limiter.ts'
import { cacheOverServers, connectTo, freshNamespace, onTestTime, patient, scriptsOnTestTime, silent } from './harnesses.ts'
import { hasRedisServer, startCluster, startRedis } from './redis.ts'

type Engine = Readonly<{ url: string; servers: readonly Redis[]; stop: () => Promise<void> }>

const givenUrl = process.env['CBP_TEST_REDIS_URL']

async function oneServer(): Promise<Engine> {
  if (givenUrl !== undefined) {
    const server = new Redis(givenUrl)
    return { url: givenUrl, servers: [server], stop: async () => server.disconnect() }
  }
  const { port, admin, stop } = await startRedis()
  return { url: `redis://127.0.0.1:${port}`, servers: [admin], stop }
}

async function threeMasters(): Promise<Engine> {
  const { url, nodes, stop } = await startCluster()
  return { url, servers: nodes.map(({ admin }) => admin), stop }
}

const hasBinary = hasRedisServer()

describe.each([
  { name: 'one server', start: oneServer, isMissing: givenUrl === undefined && !hasBinary },
  { name: 'a cluster of three masters', start: threeMasters, isMissing: !hasBinary },
])('$name', ({ start, isMissing }) => {
  describe.skipIf(isMissing)('keeps the contracts', () => {
    let engine: Engine
    let connection: RedisConnection
    let timed: RedisConnection

    beforeAll(async () => {
      engine = await start()
      connection = connectTo(engine.url, silent, {}, patient)
      timed = connectTo(engine.url, silent, scriptsOnTestTime, patient)
      await Promise.all([connection.connect(), timed.connect()])
    }, 30_000)

    afterAll(async () => {
      await Promise.all([connection.close(), timed.close()])
      await engine.stop()
    })

    describe('cache', () => {
      configCacheContract(() => cacheOverServers(connection, engine.servers, 'far'), 25)
    })

    describe('cache, with a near one in front', () => {
      configCacheContract(() => cacheOverServers(connection, engine.servers, 'near'), 25)
    })

    describe('rate limiter', () => {
      rateLimiterContract(async () => {
        const clock = fakeClock()
        const shared = redisRateLimiter(onTestTime(timed, clock), freshNamespace())
        const limiter: RateLimiter = {
          async take(request) {
            const decision = await shared.take(request)
            if (decision === null) throw new Error('Redis is away')
            return decision
          },
        }
        return { limiter, clock }
      }, 25)
    })

    describe('rate limiter, with a local one behind', () => {
      rateLimiterContract(async () => {
        const clock = fakeClock()
        const shared = redisRateLimiter(onTestTime(timed, clock), freshNamespace())
        return { limiter: rateLimiterWithFallback({ shared, local: inProcessRateLimiter({ capacity: 100, clock }), log: silent }), clock }
      }, 25)
    })
  })
})
