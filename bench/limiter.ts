import { inProcessRateLimiter, parseRedisUrl, rateLimiterWithFallback, redisConnection, redisRateLimiter } from '@cbp/adapters-redis'
import type { Log, Random } from '@cbp/core'
import { systemClock } from '@cbp/http/assembly'
import { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { startRedisServer } from './lib/redis-server.ts'
import { type Report, ratioOf } from './lib/report.ts'
import { type Contender, type Round, sideBySide } from './lib/side-by-side.ts'
import { median } from './lib/statistics.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5)
const seconds = Number(process.env['BENCH_SECONDS'] ?? 3)
const inFlight = 64
const partitions = 1000
const limit = 1_000_000
const windowSeconds = 900
const silent: Log = { write: () => {} }
const random: Random = { fraction: () => Math.random() }

/** Sliding limits, with and without the local counts in front, against the fixed windows of rate-limiter-flexible. */
export async function limiter(): Promise<Report> {
  await using server = await startRedisServer()
  await using closing = new AsyncDisposableStack()
  const target = parseRedisUrl(server.url)
  if (target.isErr()) throw new Error(target.error.reason)
  const connection = redisConnection({ target: target.value, clock: systemClock, random, log: silent })
  closing.defer(() => connection.close())
  await connection.connect()
  let lost = 0
  // Decisions without Redis cost nothing, so that more than a few would flatter.
  const requireAllowed = (decision: Readonly<{ allowed: boolean }> | null): void => {
    if (decision?.allowed === false) throw new Error('a request was refused')
    if (decision === null) lost += 1
    if (lost > 1000) throw new Error('Redis answers too late: the machine is too busy to measure')
  }
  const shared = redisRateLimiter(connection)
  const local = inProcessRateLimiter({ capacity: 100_000, clock: systemClock })
  const heard = redisRateLimiter(connection, 'both')
  const both = rateLimiterWithFallback({
    shared: {
      take: async (asked) => {
        const decision = await heard.take(asked)
        requireAllowed(decision)
        return decision
      },
    },
    local,
    log: silent,
  })
  const peer = (enableAutoPipelining: boolean): RateLimiterRedis => {
    const storeClient = new Redis(server.url, { enableAutoPipelining })
    closing.defer(() => storeClient.disconnect())
    return new RateLimiterRedis({ storeClient, points: limit, duration: windowSeconds, keyPrefix: `peer-${enableAutoPipelining}` })
  }
  const piped = peer(true)
  const plain = peer(false)
  const request = (index: number): Parameters<typeof both.take>[0] => ({
    partition: `client-${index % partitions}`,
    limit,
    windowSeconds,
    cost: 1,
  })
  const contenders: readonly Contender[] = [
    { name: 'cbp', call: async (index) => both.take(request(index)) },
    { name: 'cbp, shared counts only', call: async (index) => requireAllowed(await shared.take(request(index))) },
    { name: 'flexible, pipelined', call: (index) => piped.consume(`client-${index % partitions}`, 1) },
    { name: 'flexible', call: (index) => plain.consume(`client-${index % partitions}`, 1) },
  ]
  return report(await sideBySide(contenders, { inFlight, rounds, seconds }))
}

function report(measured: ReadonlyMap<string, readonly Round[]>): Report {
  const rates = (name: string): readonly number[] => (measured.get(name) ?? []).map(({ perSecond }) => perSecond)
  const yields = (name: string): readonly number[] => (measured.get(name) ?? []).map(({ cpuMicros }) => 1e6 / cpuMicros)
  const against = (own: string, peer: string): Report['aims'][number] => ({
    what: `${own}, of ${peer}`,
    ...ratioOf(rates(own), rates(peer)),
    unit: 'x',
    aim: 1,
    better: 'higher',
  })
  const perProcessor = (own: string, peer: string): Report['aims'][number] => ({
    ...against(own, peer),
    what: `${own}, of ${peer}, per processor second`,
    ...ratioOf(yields(own), yields(peer)),
  })
  return {
    setup: { partitions, load: `${inFlight} in flight, ${rounds} rounds of ${seconds} s, medians, one process, one Redis` },
    table: [...measured].map(([name, samples]) => ({
      limiter: name,
      'checks/s': median(samples.map(({ perSecond }) => perSecond)),
      'cpu us': median(samples.map(({ cpuMicros }) => cpuMicros)),
      'p99 ms': median(samples.map(({ p99Ms }) => p99Ms)),
    })),
    aims: [
      against('cbp', 'flexible, pipelined'),
      against('cbp', 'flexible'),
      against('cbp, shared counts only', 'flexible, pipelined'),
      perProcessor('cbp', 'flexible, pipelined'),
      perProcessor('cbp', 'flexible'),
    ],
    notes: ['flexible counts in fixed windows, which admit up to twice the limit across a border; cbp slides'],
    samples: Object.fromEntries(measured),
  }
}
