import type { MssqlStore, SqliteStore } from '@cbp/adapters-sql'
import { type ConfigCache, cancelSource, type EventBroker, type Log, type RateLimiter, type Signals } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { systemClock, systemRandom } from './platform/index.ts'
import type { ResourceUnavailable } from './resources.ts'
import type { Settings } from './settings.ts'

/** What an engine says about itself when health asks. */
export type EngineHealth = Readonly<{ status: 'pass' | 'warn' | 'fail'; reason: string | null }>

export type StorePort =
  | 'transactions'
  | 'configStore'
  | 'outbox'
  | 'deadLetterStore'
  | 'paymentStore'
  | 'webhookStore'
  | 'apiKeyStore'
  | 'auditStore'
  | 'dataKeyStore'

/** The stores behind core's ports, whichever database they lie in. */
export type OpenedStore = Pick<SqliteStore | MssqlStore, StorePort | 'health' | 'close'>

/** The engines that the settings name, and how each fares. */
export type Engines = Readonly<{
  store: OpenedStore
  configCache: ConfigCache
  rateLimiter: RateLimiter
  eventBroker: EventBroker
  signals: Signals
  engineHealth: Readonly<{
    names: Readonly<{ database: string; cache: string; queue: string }>
    cache: () => Promise<EngineHealth>
    queue: () => Promise<EngineHealth>
  }>
}>

type Opened<T> = Promise<Result<T, ResourceUnavailable>>

const cacheCapacity = 100_000
/** Addresses and clients that are counted each for itself; about 300 bytes each. */
const partitionCapacity = 50_000
/** How long an instance may show what another has replaced in Redis, where it has not heard of that yet. */
const nearCacheMs = 1_000
const closeDeadlineMs = 5_000
const inOrder: EngineHealth = { status: 'pass', reason: null }
const alwaysInOrder = async (): Promise<EngineHealth> => inOrder

/** Opens the engines; `opening` closes them again, last opened first. Drivers are loaded only for the engines in use. */
export async function openEngines(settings: Settings, log: Log, opening: AsyncDisposableStack): Opened<Engines> {
  const store = await openStore(settings)
  if (store.isErr()) return err(store.error)
  opening.defer(() => store.value.close())
  const queue = await openQueue(settings, log, opening)
  const cache = await openCache(settings, log, opening)
  return ok({
    store: store.value,
    configCache: cache.configCache,
    rateLimiter: cache.rateLimiter,
    eventBroker: queue.eventBroker,
    signals: queue.signals,
    engineHealth: {
      names: { database: settings.sql.kind, cache: cache.name, queue: queue.name },
      cache: cache.health,
      queue: queue.health,
    },
  })
}

async function openStore({ sql, migrations }: Settings): Opened<OpenedStore> {
  const { openSqliteStore, openMssqlStore } = await import('@cbp/adapters-sql')
  const environment = { clock: systemClock, random: systemRandom }
  if (sql.kind === 'mssql') {
    const opened = await openMssqlStore({ address: sql.primary, replica: sql.replica, migrations, ...environment })
    return opened.mapErr(({ reason }) => ({ kind: 'resource-unavailable', resource: 'store', reason }))
  }
  const { path, synchronous } = sql
  const opened = await openSqliteStore({ path, synchronous, migrations, ...environment })
  return opened.mapErr(({ reason }) => ({ kind: 'resource-unavailable', resource: 'store', reason: `${path}: ${reason}` }))
}

type OpenedCache = Readonly<{
  name: string
  configCache: ConfigCache
  rateLimiter: RateLimiter
  health: () => Promise<EngineHealth>
}>

/** Unlike the wall clock it is never set back, which would make windows longer. */
const monotonicClock = { now: () => performance.now() }

async function openCache({ redis }: Settings, log: Log, opening: AsyncDisposableStack): Promise<OpenedCache> {
  const adapters = await import('@cbp/adapters-redis')
  const { inProcessConfigCache, inProcessRateLimiter, nearCache, rateLimiterWithFallback, redisConfigCache, redisConnection } = adapters
  const local = inProcessRateLimiter({ capacity: partitionCapacity, clock: monotonicClock })
  if (redis === null) {
    const configCache = inProcessConfigCache({ capacity: cacheCapacity, clock: systemClock })
    return { name: 'in-process', configCache, rateLimiter: local, health: alwaysInOrder }
  }
  const connection = redisConnection({ target: redis, clock: systemClock, random: systemRandom, log })
  opening.defer(() => connection.close())
  await connection.connect()
  const far = redisConfigCache(connection)
  const rateLimiter = rateLimiterWithFallback({ shared: adapters.redisRateLimiter(connection), local, log })
  return {
    name: redis.kind === 'cluster' ? 'redis cluster' : 'redis',
    configCache: nearCache(far, { clock: systemClock, capacity: cacheCapacity, ttlMs: nearCacheMs }),
    rateLimiter,
    health: async () => {
      const { status, output } = await connection.health()
      if (status !== 'pass' || (await rateLimiter.counting()) === 'all-instances') return { status, reason: output }
      return { status: 'warn', reason: 'rate limits are counted by this instance alone' }
    },
  }
}

type OpenedQueue = Readonly<{ name: string; eventBroker: EventBroker; signals: Signals; health: () => Promise<EngineHealth> }>

async function openQueue({ amqpUrls }: Settings, log: Log, opening: AsyncDisposableStack): Promise<OpenedQueue> {
  const { inProcessEventBroker, inProcessSignals, rabbitEventBroker, rabbitSignals } = await import('@cbp/adapters-amqp')
  if (amqpUrls === null) {
    const eventBroker = inProcessEventBroker()
    opening.defer(() => inTime(eventBroker.close()))
    return { name: 'in-process', eventBroker, signals: inProcessSignals(), health: alwaysInOrder }
  }
  const link = { urls: amqpUrls, clock: systemClock, random: systemRandom, log }
  const eventBroker = rabbitEventBroker(link)
  opening.defer(() => inTime(eventBroker.close()))
  const signals = rabbitSignals(link)
  opening.defer(() => inTime(signals.close()))
  return {
    name: 'rabbitmq',
    eventBroker,
    signals,
    health: async () => {
      const { publishing, consuming, problems } = eventBroker.health()
      // A broker that is away, or takes nothing for an alarm of its own.
      const hindered = [publishing, consuming].find((state) => 'reason' in state)
      const reason = hindered !== undefined && 'reason' in hindered ? hindered.reason : (problems[0] ?? null)
      return { status: reason === null ? 'pass' : 'warn', reason }
    },
  }
}

/** A consumer that never answers must not keep the process from ending: what it holds is delivered again later. */
async function inTime(closing: Promise<void>): Promise<void> {
  const timer = cancelSource()
  await Promise.race([closing, systemClock.sleep(closeDeadlineMs, timer.signal)])
  timer.cancel()
}
