import type { ConfigCache, Instant, Log } from '@cbp/core'
import type { ConfigCacheHarness, TestClock } from '@cbp/core/testing'
import type { Redis } from 'ioredis'
import { type FarCache, nearCache } from '../src/in-process/near-cache.ts'
import { redisConfigCache } from '../src/redis/redis-config-cache.ts'
import { connectionWith, type RedisConnection, type RedisConnectionOptions } from '../src/redis/redis-connection.ts'
import { parseRedisUrl } from '../src/redis/redis-target.ts'
import { type RedisScripts, redisScripts } from '../src/redis/scripts.ts'
import { realClock, realRandom } from './redis.ts'

export const silent: Log = { write: () => {} }

export function connectTo(
  url: string,
  log: Log = silent,
  scripts: Partial<RedisScripts> = {},
  options: Partial<RedisConnectionOptions> = {},
): RedisConnection {
  const target = parseRedisUrl(url)._unsafeUnwrap()
  return connectionWith({ target, clock: realClock, random: realRandom, log, ...options }, { ...redisScripts, ...scripts })
}

let namespaces = 0

/** For tests that are not about time: whatever keeps the machine busy, Redis is there. */
export const patient: Partial<RedisConnectionOptions> = { deadlineMs: 5_000 }

/** A place of its own for each test. */
export function freshNamespace(): string {
  namespaces += 1
  return `test-${process.pid}-${Math.random().toString(36).slice(2, 8)}-${namespaces}`
}

/**
 * So many milliseconds on the server stand for one of the test. The server's own clock then hardly moves while a test runs,
 * and lets its time pass by taking it off what the keys have left to live.
 */
const scale = 60_000

export async function cacheOverServers(
  connection: RedisConnection,
  servers: readonly Redis[],
  kind: 'far' | 'near',
): Promise<ConfigCacheHarness> {
  const namespace = freshNamespace()
  let now: Instant = 1_000_000
  const clock: TestClock = {
    now: () => now,
    async advance(ms) {
      now += ms
      await Promise.all(servers.map((server) => age(server, namespace, ms * scale)))
    },
  }
  const far: FarCache & ConfigCache = redisConfigCache(connection, namespace)
  const near = (): ConfigCache => nearCache(far, { clock: { now: () => now * scale }, capacity: 100, ttlMs: 500 * scale })
  const cache = kind === 'far' ? far : near()
  const slowed: ConfigCache = { read: cache.read, write: (name, record, ttlMs) => cache.write(name, record, ttlMs * scale) }
  return { cache: slowed, clock }
}

async function age(server: Redis, namespace: string, ms: number): Promise<void> {
  for (const key of await server.keys(`${namespace}:*`)) {
    const left = await server.pttl(key)
    if (left > ms) await server.pexpire(key, left - ms)
    else await server.del(key)
  }
}

/** The scripts of production on a clock that the test holds: only the time of the server is replaced. */
export const scriptsOnTestTime = { takeRate: redisScripts.takeRate.replace("redis.call('TIME')", 'cjson.decode(ARGV[#ARGV])') }

export function onTestTime(connection: RedisConnection, clock: Pick<TestClock, 'now'>): RedisConnection {
  const time = (): string => JSON.stringify([Math.floor(clock.now() / 1000), (clock.now() % 1000) * 1000])
  return {
    ...connection,
    script: (name, key, args) => connection.script(name, key, name === 'takeRate' ? [...args, time()] : args),
  }
}
