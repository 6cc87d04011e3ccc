import type { CacheRecord, ConfigCache, Revision } from '@cbp/core'
import { type FakeLog, fakeLog } from '@cbp/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inProcessRateLimiter } from '../src/in-process/in-process-rate-limiter.ts'
import { type FallbackRateLimiter, rateLimiterWithFallback } from '../src/rate-limiter-with-fallback.ts'
import { redisConfigCache } from '../src/redis/redis-config-cache.ts'
import type { RedisConnection, RedisConnectionOptions } from '../src/redis/redis-connection.ts'
import { redisRateLimiter } from '../src/redis/redis-rate-limiter.ts'
import { connectTo, freshNamespace, patient, silent } from './harnesses.ts'
import { startProxy } from './proxy.ts'
import { freePort, hasRedisServer, pause, type RedisServer, realClock, startRedis, until } from './redis.ts'

const name = 'epoch:payments/limit/'

function recordAt(stamp: number): CacheRecord {
  return { stamp: stamp as Revision, revision: stamp as Revision, entry: null }
}

/** What the slowest and the last of several reads took, in milliseconds; the machine of the tests may be busy. */
async function timesOf(cache: ConfigCache, reads: number): Promise<Readonly<{ slowest: number; last: number }>> {
  const times: number[] = []
  for (let read = 0; read < reads; read += 1) {
    const startedAt = performance.now()
    await cache.read(name)
    times.push(performance.now() - startedAt)
  }
  return { slowest: Math.max(...times), last: times.at(-1) ?? 0 }
}

const generous = 400
const instant = 5

async function withConnection(
  url: string,
  test: (connection: RedisConnection, cache: ConfigCache, log: FakeLog, namespace: string) => Promise<void>,
  options: Partial<RedisConnectionOptions> = {},
): Promise<void> {
  const log = fakeLog()
  const connection = connectTo(url, log, {}, options)
  const namespace = freshNamespace()
  try {
    await test(connection, redisConfigCache(connection, namespace), log, namespace)
  } finally {
    await connection.close()
  }
}

describe.skipIf(!hasRedisServer())('one Redis server', () => {
  let server: RedisServer
  let url: string
  beforeAll(async () => {
    server = await startRedis()
    url = `redis://127.0.0.1:${server.port}`
  })
  afterAll(() => server.stop())

  it('is connected to by the first call, which needs no other', () =>
    withConnection(
      url,
      async (connection, cache) => {
        await connection.connect()
        await cache.write(name, recordAt(1), 1000)
        expect(await cache.read(name)).toEqual(recordAt(1))
        expect(await connection.health()).toEqual({ status: 'pass', output: 'Redis answers' })
      },
      patient,
    ))

  it.each([
    ['text', (key: string) => server.admin.set(key, 'something else')],
    ['a stamp and nothing', (key: string) => server.admin.set(key, '9007199254740991')],
    ['a stamp and half a record', (key: string) => server.admin.set(key, '9007199254740991{"revision":1,"ent')],
    ['a stamp and another record', (key: string) => server.admin.set(key, '9007199254740991{"revision":1,"entry":{"value":1}}')],
    ['a list', (key: string) => server.admin.rpush(key, 'a')],
  ])('reads what is no record as absent, and lets it give way: %s', (_, put) =>
    withConnection(
      url,
      async (connection, cache, _log, namespace) => {
        await connection.connect()
        await put(`${namespace}:config1:{${name}}`)
        expect(await cache.read(name)).toBeNull()
        await cache.write(name, recordAt(1), 1000)
        expect(await cache.read(name)).toEqual(recordAt(1))
      },
      patient,
    ),
  )

  it('has its scripts again after they were flushed', () =>
    withConnection(
      url,
      async (connection, cache) => {
        await connection.connect()
        await cache.write(name, recordAt(1), 1000)
        await server.admin.script('FLUSH')
        await cache.write(name, recordAt(2), 1000)
        expect(await cache.read(name)).toEqual(recordAt(2))
      },
      patient,
    ))

  it('costs a deadline while it is slow, then nothing, and comes back', () =>
    withConnection(url, async (connection, cache, log) => {
      await connection.connect()
      await cache.write(name, recordAt(1), 60_000)
      const sleeping = server.admin.call('DEBUG', 'SLEEP', '0.8')
      await pause(20)
      const { slowest, last } = await timesOf(cache, 10)
      expect(slowest).toBeLessThan(generous)
      expect(last).toBeLessThan(instant)
      expect(await cache.read(name)).toBeNull()
      await sleeping
      await until(async () => (await cache.read(name)) !== null)
      expect(log.entries.map(({ message }) => message)).toEqual([
        'Redis does not serve: the store answers, requests are limited by each instance',
        'Redis serves again',
      ])
    }))

  it('costs a deadline when the connection hangs, then nothing, and comes back', async () => {
    const proxy = await startProxy(server.port)
    try {
      await withConnection(`redis://127.0.0.1:${proxy.port}`, async (connection, cache) => {
        await connection.connect()
        await cache.write(name, recordAt(1), 60_000)
        proxy.behave('hang')
        const { slowest, last } = await timesOf(cache, 10)
        expect(slowest).toBeLessThan(generous)
        expect(last).toBeLessThan(instant)
        expect((await connection.health()).status).toBe('warn')
        proxy.behave('pass')
        await until(async () => (await cache.read(name)) !== null)
      })
    } finally {
      await proxy.stop()
    }
  })

  it('lets many calls at once wait no longer than one', () =>
    withConnection(url, async (connection, cache) => {
      await connection.connect()
      const sleeping = server.admin.call('DEBUG', 'SLEEP', '0.5')
      await pause(20)
      const startedAt = performance.now()
      const answers = await Promise.all(Array.from({ length: 1000 }, () => cache.read(name)))
      expect(performance.now() - startedAt).toBeLessThan(generous)
      expect(answers.every((answer) => answer === null)).toBe(true)
      await sleeping
    }))

  it('does not take its own long pause for one of Redis', () =>
    withConnection(url, async (connection, cache, log) => {
      await connection.connect()
      await cache.write(name, recordAt(1), 60_000)
      const reads = Promise.all(Array.from({ length: 100 }, () => cache.read(name)))
      const wokenAt = performance.now() + 300
      while (performance.now() < wokenAt);
      expect((await reads).every((read) => read !== null)).toBe(true)
      expect(log.entries).toEqual([])
    }))

  it('asks nothing of a Redis that is not there, and keeps the password to itself', async () => {
    const port = await freePort()
    await withConnection(`redis://:secret-word@127.0.0.1:${port}`, async (connection, cache, log) => {
      const { slowest, last } = await timesOf(cache, 5)
      expect(slowest).toBeLessThan(generous)
      expect(last).toBeLessThan(instant)
      await cache.write(name, recordAt(1), 1000)
      const health = await connection.health()
      expect(health.status).toBe('warn')
      expect(health.output).toContain('ECONNREFUSED')
      expect(JSON.stringify([log.entries, health])).not.toContain('secret-word')
      expect(log.entries).toHaveLength(1)
    })
  })

  it('answers nothing after it was closed', () =>
    withConnection(
      url,
      async (connection, cache) => {
        await connection.connect()
        await cache.write(name, recordAt(1), 1000)
        await connection.close()
        expect(await cache.read(name)).toBeNull()
      },
      patient,
    ))
})

describe.skipIf(!hasRedisServer())('a Redis server with a password', () => {
  it('takes the one in the URL, and tells no wrong one', async () => {
    const server = await startRedis('--requirepass', 'right/word')
    try {
      await withConnection(`redis://:right%2Fword@127.0.0.1:${server.port}/3`, async (connection) => {
        expect(await connection.health()).toMatchObject({ status: 'pass' })
      })
      await withConnection(`redis://:wrong-word@127.0.0.1:${server.port}`, async (connection, cache, log) => {
        const health = await connection.health()
        expect(await cache.read(name)).toBeNull()
        expect(health).toMatchObject({ status: 'warn' })
        expect(health.output).toContain('WRONGPASS')
        expect(JSON.stringify([log.entries, health])).not.toContain('wrong-word')
      })
    } finally {
      await server.stop()
    }
  })
})

describe.skipIf(!hasRedisServer())('rate limits over one Redis server', () => {
  let server: RedisServer
  let connections: readonly RedisConnection[]
  const request = { partition: 'client a', limit: 10, windowSeconds: 900, cost: 1 }
  beforeAll(async () => {
    server = await startRedis()
    connections = [1, 2].map(() => connectTo(`redis://127.0.0.1:${server.port}`, silent, {}, patient))
    await Promise.all(connections.map((each) => each.connect()))
  })
  afterAll(async () => {
    await Promise.all(connections.map((each) => each.close()))
    await server.stop()
  })

  const instances = (log = silent): readonly FallbackRateLimiter[] => {
    const namespace = freshNamespace()
    return connections.map((each) =>
      rateLimiterWithFallback({
        shared: redisRateLimiter(each, namespace),
        local: inProcessRateLimiter({ capacity: 100, clock: realClock }),
        log,
      }),
    )
  }

  async function admitted(limiters: readonly FallbackRateLimiter[], each: number): Promise<number> {
    const all = limiters.flatMap((limiter) => Array.from({ length: each }, async () => limiter.take(request)))
    return (await Promise.all(all)).filter(({ allowed }) => allowed).length
  }

  it('L19: hold over all instances', async () => {
    expect(await admitted(instances(), 30)).toBe(10)
  })

  it('L19: hold in real time', async () => {
    const [limiter] = instances()
    const log: Readonly<{ from: number; to: number }>[] = []
    const endsAt = performance.now() + 2_500
    while (performance.now() < endsAt) {
      const from = performance.now()
      const decision = await limiter?.take({ ...request, windowSeconds: 1, limit: 20 })
      if (decision?.allowed === true) log.push({ from, to: performance.now() })
      await pause(2)
    }
    expect(log.length).toBeGreaterThanOrEqual(40)
    const certain = log.filter(({ from }, index) => (log[index + 20]?.to ?? Number.POSITIVE_INFINITY) - from <= 1000)
    expect(certain).toEqual([])
  })

  it('leave nothing behind for ever', async () => {
    const namespace = freshNamespace()
    const [connection] = connections
    if (connection === undefined) throw new Error('no connection')
    await redisRateLimiter(connection, namespace).take(request)
    const left = await server.admin.pttl(`${namespace}:rate2:{client a}:900`)
    expect(left).toBeGreaterThan(16 * 60_000)
    expect(left).toBeLessThanOrEqual(17 * 60_000)
    const refused = { ...request, partition: 'client b', cost: 11 }
    expect(await redisRateLimiter(connection, namespace).take(refused)).toMatchObject({ allowed: false, remaining: 10 })
    expect(await server.admin.keys(`${namespace}:*`)).toEqual([`${namespace}:rate2:{client a}:900`])
  })

  it.each([
    ['text', (key: string) => server.admin.set(key, 'something else')],
    ['a list', (key: string) => server.admin.rpush(key, 'a')],
  ])('let give way what is no count: %s', async (_, put) => {
    const namespace = freshNamespace()
    await put(`${namespace}:rate2:{client a}:900`)
    const [connection] = connections
    if (connection === undefined) throw new Error('no connection')
    const limiter = redisRateLimiter(connection, namespace)
    expect([await limiter.take(request), await limiter.take(request)]).toMatchObject([{ remaining: 9 }, { remaining: 8 }])
  })

  it('L19: hold for each of many that are asked for at once, whatever the limit of each', async () => {
    const [limiter] = instances()
    const asked = Array.from({ length: 300 }, (_, index) => ({ ...request, partition: `of many ${index % 5}`, limit: 1 + (index % 5) }))
    const decisions = await Promise.all(asked.map(async (each) => ({ ...(await limiter?.take(each)), limit: each.limit })))
    const byLimit = [1, 2, 3, 4, 5].map((limit) => decisions.filter((each) => each.limit === limit && each.allowed === true).length)
    expect(byLimit).toEqual([1, 2, 3, 4, 5])
  })

  it('L19: hold for each instance when Redis is lost in the middle, counting what was admitted before', async () => {
    const log = fakeLog()
    const limiters = instances(log)
    const [first, second] = limiters
    const before = await admitted(limiters, 2)
    expect(before).toBe(4)
    await server.kill()
    expect(await admitted(first === undefined ? [] : [first], 30)).toBe(8)
    expect(await admitted(second === undefined ? [] : [second], 30)).toBe(8)
    expect(await first?.counting()).toBe('this-instance')
    expect(log.entries.map(({ message }) => message)).toContain('Rate limits are counted by this instance alone')
    await server.restart()
    // Nobody asks for anything meanwhile.
    await until(async () => (await first?.counting()) === 'all-instances')
    // The server has forgotten everything; the instances have not.
    expect(await admitted(limiters, 30)).toBe(0)
  })
})
