import { join } from 'node:path'
import { commitEvents, confirming, eventOf, startRelay, until } from './lib/events.ts'
import { type Hexagon, openHexagon } from './lib/hexagon.ts'
import { type Aim, progress, type Report } from './lib/report.ts'
import { median, percentile } from './lib/statistics.ts'
import { temporaryDirectory } from './lib/workspace.ts'

const streamCounts = [1, 100, 10_000] as const
const events = Number(process.env['BENCH_EVENTS'] ?? 20_000)
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5)
const singles = 300
const writers = 256

type Round = Readonly<{
  streams: number
  aloneMs: number
  liveMs: number
  liveLatencies: readonly number[]
  drainMs: number
  singleLatencies: readonly number[]
  withConsumerPerSecond: number
}>

/** Events from the answer of their commit to the confirmation of the in-process broker. */
export async function relay(): Promise<Report> {
  using directory = temporaryDirectory()
  const samples: Round[] = []
  for (let round = 0; round < rounds; round += 1) {
    for (const streams of streamCounts) samples.push(await measure(join(directory.path, `${round}-${streams}`), streams))
  }
  const of = (streams: number): readonly Round[] => samples.filter((round) => round.streams === streams)
  return {
    setup: {
      events: `${events} a round, ${rounds} rounds, medians; at low load ${singles} one after another`,
      broker: 'in process; without a consumer, but in the last column, where webhooks consume without a subscriber',
      writers: `${writers} concurrent units of one durable event each, in the process and thread of the relay`,
    },
    table: streamCounts.map((streams) => rowOf(streams, of(streams))),
    aims: [
      ...streamCounts.filter((streams) => streams >= 100).map((streams) => rateAim(streams, of(streams))),
      ...streamCounts.map((streams) => latencyAim(streams, of(streams))),
    ],
    notes: [
      'while written: from the first commit to the last confirmation, writers and relay at work together; writers alone: the same without a relay',
      'latencies are from the answer of the commit to the confirmation; a negative one was confirmed before its writer heard of the commit',
      'with the consumer each event is a durable unit of its own, in order within its stream: one stream goes no faster than the disk syncs',
    ],
    samples: {
      rounds: samples.map(({ liveLatencies, singleLatencies, ...round }) => ({
        ...round,
        live: spread(liveLatencies),
        single: spread(singleLatencies),
      })),
    },
  }
}

function rowOf(streams: number, all: readonly Round[]): Readonly<Record<string, string | number>> {
  return {
    streams: named(streams),
    'while written, events/s': median(all.map(liveRate)),
    'p50 ms': median(all.map(({ liveLatencies }) => percentile(liveLatencies, 0.5))),
    'p99 ms': median(all.map(({ liveLatencies }) => percentile(liveLatencies, 0.99))),
    'writers alone, events/s': median(all.map(({ aloneMs }) => perSecond(events, aloneMs))),
    'backlog, events/s': median(all.map(({ drainMs }) => perSecond(events, drainMs))),
    'low load p50 ms': median(all.map(({ singleLatencies }) => percentile(singleLatencies, 0.5))),
    'low load p99 ms': median(all.map(({ singleLatencies }) => percentile(singleLatencies, 0.99))),
    'consumed, events/s': median(all.map(({ withConsumerPerSecond }) => withConsumerPerSecond)),
  }
}

function rateAim(streams: number, all: readonly Round[]): Aim {
  return {
    what: `${named(streams)}, commit to confirmed while written`,
    ...spanOf(all.map(liveRate)),
    unit: 'events/s',
    aim: 15_000,
    better: 'higher',
  }
}

function latencyAim(streams: number, all: readonly Round[]): Aim {
  const p99s = all.map(({ singleLatencies }) => percentile(singleLatencies, 0.99))
  return { what: `${named(streams)}, p99 at low load`, ...spanOf(p99s), unit: 'ms', aim: 5, better: 'lower' }
}

function spanOf(figures: readonly number[]): Required<Pick<Aim, 'figure' | 'range'>> {
  return { figure: median(figures), range: [Math.min(...figures), Math.max(...figures)] }
}

function named(streams: number): string {
  return `${streams.toLocaleString('en')} ${streams === 1 ? 'stream' : 'streams'}`
}

function liveRate({ liveMs }: Round): number {
  return perSecond(events, liveMs)
}

function perSecond(count: number, ms: number): number {
  return (count * 1000) / ms
}

function spread(latencies: readonly number[]): Readonly<Record<string, number>> {
  return {
    p50: percentile(latencies, 0.5),
    p90: percentile(latencies, 0.9),
    p99: percentile(latencies, 0.99),
    max: percentile(latencies, 1),
  }
}

async function measure(directory: string, streams: number): Promise<Round> {
  const { aloneMs, liveMs, liveLatencies, drainMs, singleLatencies } = await withoutConsumer(join(directory, 'none'), streams)
  const withConsumerPerSecond = await consumedPerSecond(join(directory, 'webhooks'), streams)
  progress(
    `  ${named(streams)}: live ${Math.round(perSecond(events, liveMs))}/s, writers alone ${Math.round(perSecond(events, aloneMs))}/s, backlog ${Math.round(perSecond(events, drainMs))}/s, low load p99 ${percentile(singleLatencies, 0.99).toFixed(1)} ms, consumed ${Math.round(withConsumerPerSecond)}/s`,
  )
  return { streams, aloneMs, liveMs, liveLatencies, drainMs, singleLatencies, withConsumerPerSecond }
}

async function withoutConsumer(directory: string, streams: number): Promise<Omit<Round, 'streams' | 'withConsumerPerSecond'>> {
  const confirmedAt = new Map<string, number>()
  const note = ({ id }: { id: string }): void => {
    if (!confirmedAt.has(id)) confirmedAt.set(id, performance.now())
  }
  await using hexagon = await openHexagon(directory, { decorate: (ports) => confirming(ports, 'none', note) })
  const untilConfirmed = (count: number): Promise<void> => until('every event is confirmed', () => confirmedAt.size === count)
  const running = startRelay(hexagon)
  await commitAll(hexagon, 4000, streams)
  await untilConfirmed(4000)
  confirmedAt.clear()

  const liveFrom = performance.now()
  const committedAt = await commitAll(hexagon, events, streams)
  await untilConfirmed(events)
  const liveMs = performance.now() - liveFrom
  const liveLatencies = latenciesOf(committedAt, confirmedAt)

  const singleLatencies: number[] = []
  for (let count = 0; count < singles; count += 1) {
    confirmedAt.clear()
    const committed = await commitAll(hexagon, 1, streams)
    await untilConfirmed(1)
    singleLatencies.push(...latenciesOf(committed, confirmedAt))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await running.stop()

  confirmedAt.clear()
  const aloneFrom = performance.now()
  await commitAll(hexagon, events, streams)
  const aloneMs = performance.now() - aloneFrom
  const drainFrom = performance.now()
  const draining = startRelay(hexagon)
  await untilConfirmed(events)
  const drainMs = performance.now() - drainFrom
  await draining.stop()
  return { aloneMs, liveMs, liveLatencies, drainMs, singleLatencies }
}

/** The same while written, each event applied by the consumer behind webhooks before it is confirmed. */
async function consumedPerSecond(directory: string, streams: number): Promise<number> {
  let confirmed = 0
  const note = (): void => {
    confirmed += 1
  }
  const count = streams === 1 ? events / 40 : events / 4
  await using hexagon = await openHexagon(directory, { decorate: (ports) => confirming(ports, 'webhooks', note) })
  const running = startRelay(hexagon)
  await commitAll(hexagon, count / 5, streams)
  await until('every event is consumed', () => confirmed === count / 5)
  confirmed = 0
  const from = performance.now()
  await commitAll(hexagon, count, streams)
  await until('every event is consumed', () => confirmed === count)
  const tookMs = performance.now() - from
  await running.stop()
  return perSecond(count, tookMs)
}

/** When each event's commit was answered. */
async function commitAll({ ports }: Hexagon, count: number, streams: number): Promise<ReadonlyMap<string, number>> {
  const committedAt = new Map<string, number>()
  let next = 0
  const run = async (): Promise<void> => {
    while (next < count) {
      const event = eventOf(ports, next % streams)
      next += 1
      await commitEvents(ports, [event])
      committedAt.set(event.id, performance.now())
    }
  }
  await Promise.all(Array.from({ length: Math.min(writers, count) }, run))
  return committedAt
}

function latenciesOf(committedAt: ReadonlyMap<string, number>, confirmedAt: ReadonlyMap<string, number>): readonly number[] {
  return [...committedAt].map(([id, at]) => (confirmedAt.get(id) ?? Number.NaN) - at)
}
