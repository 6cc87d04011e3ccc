import { nearCache, parseRedisUrl, redisConfigCache, redisConnection } from '@cbp/adapters-redis'
import { type ConfigCache, type Core, cancelSource, type Ports } from '@cbp/core'
import { systemClock } from '@cbp/http/assembly'
import { Redis } from 'ioredis'
import { address, caller, openHexagon } from './lib/hexagon.ts'
import { startRedisServer } from './lib/redis-server.ts'
import { type Report, ratioOf } from './lib/report.ts'
import { type Contender, type Round, sideBySide } from './lib/side-by-side.ts'
import { median } from './lib/statistics.ts'
import { temporaryDirectory } from './lib/workspace.ts'

const settings = 1000
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5)
const seconds = Number(process.env['BENCH_SECONDS'] ?? 3)
const inFlight = 64
const value = { maxAttempts: 5, backoffMs: [100, 400, 1600, 6400], jitter: 'full', retryOn: ['timeout', 'unavailable'], deadlineMs: 30_000 }
const at = (index: number): ReturnType<typeof address> => address('payments', `retry.policy-${index % settings}`, '/production/first-cu')

/** Resolved settings through core and Redis against a bare GET of the same bytes by the same driver. */
export async function cache(): Promise<Report> {
  using directory = temporaryDirectory()
  await using server = await startRedisServer()
  await using closing = new AsyncDisposableStack()
  const far = await openCore(directory.path, 'far', closing, (ports) => redisCache(ports, server.url, closing))
  const near = await openCore(directory.path, 'near', closing, (ports) =>
    nearCache(redisCache(ports, server.url, closing), { clock: systemClock, capacity: 10_000, ttlMs: 1_000 }),
  )
  const bare = (enableAutoPipelining: boolean): Redis => {
    const redis = new Redis(server.url, { enableAutoPipelining })
    closing.defer(() => redis.disconnect())
    return redis
  }
  const piped = bare(true)
  const plain = bare(false)
  for (let index = 0; index < settings; index += 1) await requireValue(far, index)
  const keys = (await plain.keys('*:config1:*')).toSorted()
  if (keys.length !== settings) throw new Error(`the cache holds ${keys.length} of ${settings} records`)
  const bytes = Buffer.byteLength((await plain.get(keys[0] ?? '')) ?? '')
  const keyOf = (index: number): string => keys[index % settings] ?? ''
  const contenders: readonly Contender[] = [
    { name: 'core over Redis', call: (index) => requireValue(far, index) },
    { name: 'core, near cache', call: (index) => requireValue(near, index) },
    { name: 'bare GET, pipelined', call: (index) => piped.get(keyOf(index)) },
    { name: 'bare GET', call: (index) => plain.get(keyOf(index)) },
  ]
  return report(await sideBySide(contenders, { inFlight, rounds, seconds }), bytes)
}

function redisCache(ports: Ports, url: string, closing: AsyncDisposableStack): ReturnType<typeof redisConfigCache> {
  const target = parseRedisUrl(url)
  if (target.isErr()) throw new Error(target.error.reason)
  const connection = redisConnection({ target: target.value, clock: systemClock, random: ports.random, log: ports.log })
  closing.defer(() => connection.close())
  return redisConfigCache(connection)
}

async function openCore(
  directory: string,
  name: string,
  closing: AsyncDisposableStack,
  cacheOf: (ports: Ports) => ConfigCache,
): Promise<Core> {
  const hexagon = await openHexagon(`${directory}/${name}`, { decorate: (ports) => ({ ...ports, configCache: cacheOf(ports) }) })
  closing.use(hexagon)
  const { core } = hexagon
  const writes = Array.from({ length: settings }, (_, index) =>
    core.config.put({ ...at(index), value, precondition: { kind: 'absent' }, reason: 'bench', caller }),
  )
  for (const written of await Promise.all(writes)) if (written.isErr()) throw new Error(written.error.kind)
  const { signal, cancel } = cancelSource()
  const following = core.config.followChanges(signal)
  closing.defer(async () => {
    cancel()
    await following
  })
  while (core.config.followed() === null) await systemClock.sleep(10)
  return core
}

async function requireValue(core: Core, index: number): Promise<void> {
  const read = await core.config.get(at(index))
  if (read.isErr()) throw new Error(read.error.kind)
}

function report(measured: ReadonlyMap<string, readonly Round[]>, bytes: number): Report {
  const rates = (name: string): readonly number[] => (measured.get(name) ?? []).map(({ perSecond }) => perSecond)
  const yields = (name: string): readonly number[] => (measured.get(name) ?? []).map(({ cpuMicros }) => 1e6 / cpuMicros)
  const against = (own: string, peer: string, aim: number): Report['aims'][number] => ({
    what: `${own}, of ${peer}`,
    ...ratioOf(rates(own), rates(peer)),
    unit: 'x',
    aim,
    better: 'higher',
  })
  const perProcessor = (own: string, peer: string, aim: number): Report['aims'][number] => ({
    ...against(own, peer, aim),
    what: `${own}, of ${peer}, per processor second`,
    ...ratioOf(yields(own), yields(peer)),
  })
  return {
    setup: { settings, record: `${bytes} bytes`, load: `${inFlight} in flight, ${rounds} rounds of ${seconds} s, medians, one process` },
    table: [...measured].map(([name, samples]) => ({
      reads: name,
      'reads/s': median(samples.map(({ perSecond }) => perSecond)),
      'cpu us': median(samples.map(({ cpuMicros }) => cpuMicros)),
      'p99 ms': median(samples.map(({ p99Ms }) => p99Ms)),
    })),
    aims: [
      against('core over Redis', 'bare GET, pipelined', 0.7),
      against('core over Redis', 'bare GET', 0.7),
      against('core, near cache', 'bare GET, pipelined', 5),
      against('core, near cache', 'bare GET', 5),
      perProcessor('core over Redis', 'bare GET, pipelined', 0.7),
      perProcessor('core, near cache', 'bare GET, pipelined', 5),
    ],
    notes: ['core: resolves through its cache-aside, the record is parsed and checked; bare GET hands out the text'],
    samples: Object.fromEntries(measured),
  }
}
