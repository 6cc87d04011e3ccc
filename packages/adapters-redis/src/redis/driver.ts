import { fullJitterMs, type Random } from '@cbp/core'
import type { Cluster, Redis, RedisOptions } from 'ioredis'
import { reasonOf } from './ask.ts'
import type { RedisTarget } from './redis-target.ts'
import type { RedisScripts } from './scripts.ts'

export type DriverOptions = Readonly<{
  target: RedisTarget
  /** The Lua behind commands of our own: on one server with the number of their keys in front, in a cluster with one key. */
  scripts: RedisScripts
  random: Random
  /** In PEM, in place of those that the platform trusts. */
  certificateAuthority?: string | undefined
  onError: (reason: string) => void
  onConnected: () => void
  /** Also when a first or further attempt to connect has failed. */
  onLost: () => void
}>

export type RedisClient =
  | Readonly<{ kind: 'standalone'; redis: Redis; slotOf: (key: string) => number }>
  | Readonly<{ kind: 'cluster'; redis: Cluster; slotOf: (key: string) => number }>

const connectTimeoutMs = 2_000
/** A connection that owes an answer for so long is taken for dead and made anew. */
const silenceMs = 1_000
/** How often a cluster is asked who serves what, besides whenever an answer says that somebody else does. */
const refreshMs = 5_000

/** Loads the driver and prepares the connection, which is made by `redis.connect()` and kept up from then on. */
export async function openDriver(options: DriverOptions): Promise<RedisClient> {
  const { target, scripts, random, certificateAuthority, onError } = options
  const driver = await import('ioredis')
  const again = (times: number): number => 20 + fullJitterMs(random, times, 100, 2_000)
  const scriptsOf = (keys: Readonly<{ numberOfKeys?: number }>): Record<string, { lua: string; numberOfKeys?: number }> =>
    Object.fromEntries(Object.entries(scripts).map(([name, lua]) => [name, { lua, ...keys }]))
  const forNode = {
    ...(target.username === null ? {} : { username: target.username }),
    ...(target.password === null ? {} : { password: target.password }),
    ...(target.tls ? { tls: certificateAuthority === undefined ? {} : { ca: certificateAuthority } } : {}),
    connectionName: 'cbp',
    connectTimeout: connectTimeoutMs,
    socketTimeout: silenceMs,
    // Whoever asked has been answered without Redis by the time it is back.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  } satisfies RedisOptions
  const slotOf = (key: string): number => new driver.Command('get', [key]).getSlot() ?? 0
  const tell = (error: unknown): void => onError(reasonOf(error))
  if (target.kind === 'standalone') {
    const [{ host, port }] = target.nodes
    const redis = new driver.Redis({
      ...forNode,
      lazyConnect: true,
      scripts: scriptsOf({}),
      host,
      port,
      db: target.database,
      enableOfflineQueue: false,
      retryStrategy: again,
    })
    redis.on('error', tell).on('ready', options.onConnected).on('close', options.onLost)
    return { kind: 'standalone', redis, slotOf }
  }
  const redis = new driver.Cluster([...target.nodes], {
    lazyConnect: true,
    enableAutoPipelining: true,
    scripts: scriptsOf({ numberOfKeys: 1 }),
    redisOptions: forNode,
    clusterRetryStrategy: again,
    slotsRefreshTimeout: connectTimeoutMs,
    slotsRefreshInterval: refreshMs,
    // The names stay names: certificates are for these, seldom for the addresses behind them.
    dnsLookup: (name, found) => found(null, name),
    maxRedirections: 4,
  })
  let isAsking = false
  // The driver keeps to itself why none of the nodes could be asked, such as what is wrong with their certificates.
  const askWhy = async (): Promise<void> => {
    const [{ host, port }] = target.nodes
    const one = new driver.Redis({ ...forNode, lazyConnect: true, host, port, retryStrategy: null })
    one.on('error', tell)
    await one.connect().catch(() => {})
    one.disconnect()
  }
  redis.on('error', (error: unknown) => {
    tell(error)
    if (isAsking) return
    isAsking = true
    void askWhy().finally(() => {
      isAsking = false
    })
  })
  redis.on('ready', options.onConnected).on('close', options.onLost)
  return { kind: 'cluster', redis, slotOf }
}
