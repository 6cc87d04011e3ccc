import { join } from 'node:path'
import { createCore, type EventDraft, type Ports, type Stream } from '@cbp/core'
import { address, type Hexagon, openHexagon } from './lib/hexagon.ts'
import { progress, type Report } from './lib/report.ts'
import { median, percentile } from './lib/statistics.ts'
import { temporaryDirectory } from './lib/workspace.ts'

const streamCounts = [1, 100, 10_000] as const
const events = Number(process.env['BENCH_EVENTS'] ?? 20_000)
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3)
const singles = 200
const writers = 256

type Round = Readonly<{
  streams: number
  liveMs: number
  liveLatencies: readonly number[]
  drainMs: number
  singleLatencies: readonly number[]
}>

/** Events from the answer of their commit to the confirmation of the in-process broker. */
export async function relay(): Promise<Report> {
  using directory = temporaryDirectory()
  const samples: Round[] = []
  for (let round = 0; round < rounds; round += 1) {
    for (const streams of streamCounts) samples.push(await measure(join(directory.path, `${round}-${streams}`), streams))
  }
  return {
    setup: {
      events: `${events} a round, ${rounds} rounds, medians; ${singles} alone, one after another`,
      broker: 'in process, no consumer',
      writers: `${writers} concurrent units of one event each`,
    },
    table: streamCounts.map((streams) =>
      rowOf(
        streams,
        samples.filter((round) => round.streams === streams),
      ),
    ),
    aims: [],
    notes: [
      'latencies are from the answer of the commit to the confirmation; a negative one was confirmed before its writer heard of the commit',
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
    streams: `${streams.toLocaleString('en')} streams`,
    'while written, events/s': median(all.map(({ liveMs }) => (events * 1000) / liveMs)),
    'latency p50 ms': median(all.map(({ liveLatencies }) => percentile(liveLatencies, 0.5))),
    'latency p99 ms': median(all.map(({ liveLatencies }) => percentile(liveLatencies, 0.99))),
    'backlog, events/s': median(all.map(({ drainMs }) => (events * 1000) / drainMs)),
    'alone p50 ms': median(all.map(({ singleLatencies }) => percentile(singleLatencies, 0.5))),
    'alone p99 ms': median(all.map(({ singleLatencies }) => percentile(singleLatencies, 0.99))),
  }
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
  const confirmedAt = new Map<string, number>()
  await using hexagon = await openHexagon(directory, { decorate: (ports) => noting(ports, confirmedAt) })
  const running = startRelay(hexagon)
  const warm = await commitAll(hexagon, 2000, streams)
  await untilConfirmed(confirmedAt, warm.size)
  confirmedAt.clear()

  const liveFrom = performance.now()
  const committedAt = await commitAll(hexagon, events, streams)
  await untilConfirmed(confirmedAt, events)
  const liveMs = performance.now() - liveFrom
  const liveLatencies = latenciesOf(committedAt, confirmedAt)

  const singleLatencies: number[] = []
  for (let count = 0; count < singles; count += 1) {
    confirmedAt.clear()
    const committed = await commitAll(hexagon, 1, streams)
    await untilConfirmed(confirmedAt, 1)
    singleLatencies.push(...latenciesOf(committed, confirmedAt))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await running.stop()

  confirmedAt.clear()
  await commitAll(hexagon, events, streams)
  const drainFrom = performance.now()
  const draining = startRelay(hexagon)
  await untilConfirmed(confirmedAt, events)
  const drainMs = performance.now() - drainFrom
  await draining.stop()
  progress(`  ${streams} streams: live ${Math.round((events * 1000) / liveMs)}/s, backlog ${Math.round((events * 1000) / drainMs)}/s`)
  return { streams, liveMs, liveLatencies, drainMs, singleLatencies }
}

/** Notes when each event was confirmed for the first time. */
function noting(ports: Ports, confirmedAt: Map<string, number>): Ports {
  const { eventBroker } = ports
  return {
    ...ports,
    eventBroker: {
      subscribe: eventBroker.subscribe,
      publish: (event) => eventBroker.publish(event).map(() => noteFirst(confirmedAt, event.id)),
    },
  }
}

function noteFirst(confirmedAt: Map<string, number>, id: string): void {
  if (!confirmedAt.has(id)) confirmedAt.set(id, performance.now())
}

function startRelay({ ports }: Hexagon): { stop: () => Promise<void> } {
  const core = createCore(ports)
  const background = new AbortController()
  const working = core.events.relay(background.signal)
  return {
    stop: async () => {
      background.abort()
      await working
    },
  }
}

/** When each event's commit was answered. */
async function commitAll({ ports }: Hexagon, count: number, streams: number): Promise<ReadonlyMap<string, number>> {
  const { transactions, ids, clock, signals } = ports
  const committedAt = new Map<string, number>()
  let next = 0
  const run = async (): Promise<void> => {
    while (next < count) {
      const event = eventOf(ids.next(), clock.now(), next % streams)
      next += 1
      const outcome = await transactions.attempt(ids.next(), (tx) =>
        tx.config.newest(address('relay', 'none')).map(() => tx.outbox.append(event)),
      )
      if (outcome.isErr()) throw new Error(outcome.error.kind)
      committedAt.set(event.id, performance.now())
      for (const topic of outcome.value.commit.topics) signals.raise(topic)
    }
  }
  await Promise.all(Array.from({ length: Math.min(writers, count) }, run))
  return committedAt
}

function eventOf(id: EventDraft['id'], occurredAt: number, stream: number): EventDraft {
  const details = { changes: [{ key: 'retry.max-attempts', scope: '/', version: 1, op: 'put' }] }
  const payload = { component: `component-${stream}`, details, severity: 'INFO', timestamp: new Date(occurredAt).toISOString() } as const
  return { id, stream: `config-component-${stream}` as Stream, event: { type: 'CONFIG_UPDATED', payload }, occurredAt, traceparent: null }
}

async function untilConfirmed(confirmedAt: ReadonlyMap<string, number>, count: number): Promise<void> {
  const givesUpAt = performance.now() + 120_000
  while (confirmedAt.size < count) {
    if (performance.now() > givesUpAt) throw new Error(`${confirmedAt.size} of ${count} events were confirmed`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

function latenciesOf(committedAt: ReadonlyMap<string, number>, confirmedAt: ReadonlyMap<string, number>): readonly number[] {
  return [...committedAt].map(([id, at]) => (confirmedAt.get(id) ?? Number.NaN) - at)
}
