import { join } from 'node:path'
import type { Core, Currency } from '@cbp/core'
import { openAssembly, readSettings } from '@cbp/http/assembly'
import { type Child, startChild } from './lib/child.ts'
import { caller } from './lib/hexagon.ts'
import { progress, type Report, ratioOf } from './lib/report.ts'
import { median, percentile } from './lib/statistics.ts'
import { temporaryDirectory } from './lib/workspace.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5)
const seconds = Number(process.env['BENCH_SECONDS'] ?? 6)
const burst = Number(process.env['BENCH_EVENTS'] ?? 1000)
const endpoints = 10
const healthy = endpoints - 1
const eventsPerSecond = 25
const writers = 64

type Case = 'ten healthy' | 'one of ten hangs'
type Arrival = readonly [endpoint: number, payment: string, atMs: number]
type Round = Readonly<{ latencies: readonly number[]; perSecond: number }>

/** Deliveries through the assembled service, from the commit of an event to its arrival in another process. */
export async function webhooks(): Promise<Report> {
  using directory = temporaryDirectory()
  await using sink = await startChild([join(import.meta.dirname, 'peers/webhook-sink.ts'), String(endpoints)], {
    log: join(directory.path, 'sink.txt'),
  })
  const cases: readonly Case[] = ['ten healthy', 'one of ten hangs']
  const samples = new Map<Case, Round[]>()
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index] of cases.entries()) {
      const which = cases[(index + round) % cases.length] as Case
      const measured = await measure(join(directory.path, `${round}-${index}`), sink, which, round === 0 ? 2 : seconds)
      const p99 = percentile(measured.latencies, 0.99)
      progress(`  round ${round}, ${which}: p99 ${p99.toFixed(1)} ms, ${Math.round(measured.perSecond)} deliveries/s`)
      if (round > 0) samples.set(which, [...(samples.get(which) ?? []), measured])
    }
  }
  const of = (which: Case): readonly Round[] => samples.get(which) ?? []
  const at = (which: Case, fraction: number): readonly number[] => of(which).map(({ latencies }) => percentile(latencies, fraction))
  return {
    setup: {
      latency: `${eventsPerSecond} payments/s to ${endpoints} subscriptions for ${seconds} s, ${rounds} rounds in turns, medians; from the answer of the commit to the arrival at ${healthy} endpoints that answer`,
      throughput: `${burst} payments by ${writers} writers at once; from the first commit to the last arrival at those ${healthy}`,
      endpoints:
        'each on a port of its own in another process, 200 at once or never; the service as assembled, time-out and schedule as shipped',
    },
    table: cases.map((which) => ({
      endpoints: which,
      'p50 ms': median(at(which, 0.5)),
      'p99 ms': median(at(which, 0.99)),
      'max ms': median(at(which, 1)),
      'deliveries/s': median(of(which).map(({ perSecond }) => perSecond)),
    })),
    aims: [
      {
        what: 'p99 of healthy endpoints while one of ten hangs, of that while none does',
        ...ratioOf(at('one of ten hangs', 0.99), at('ten healthy', 0.99)),
        unit: 'x',
        aim: 2,
        better: 'lower',
      },
    ],
    notes: ['deliveries/s is of the whole way: payment created, relayed, fanned out, signed, sent, recorded, each durably'],
    samples: Object.fromEntries(
      cases.map((which) => [
        which,
        of(which).map(({ latencies, perSecond }) => ({
          perSecond,
          deliveries: latencies.length,
          p50: percentile(latencies, 0.5),
          p90: percentile(latencies, 0.9),
          p99: percentile(latencies, 0.99),
          max: percentile(latencies, 1),
        })),
      ]),
    ),
  }
}

async function measure(directory: string, sink: Child, which: Case, forSeconds: number): Promise<Round> {
  const settings = readSettings({ CBP_DATA_DIR: directory }, directory)
  if (settings.isErr()) throw new Error(settings.error.map(({ message }) => message).join('; '))
  const assembled = await openAssembly(settings.value, { log: { write: () => {} } })
  if (assembled.isErr()) throw new Error(assembled.error.reason)
  await using assembly = assembled.value
  const core = assembly.get('core')
  await subscribeAll(core, sink, which)
  const background = new AbortController()
  const working = core.run(background.signal)
  await createPaced(core, 1)
  await arrivalsOf(sink, eventsPerSecond)
  const committedAt = await createPaced(core, forSeconds)
  const arrivals = await arrivalsOf(sink, committedAt.size)
  const latencies = arrivals.map(([, payment, atMs]) => atMs - (committedAt.get(payment) ?? Number.NaN))
  const perSecond = await burstPerSecond(core, sink)
  background.abort()
  await releasing(sink, working)
  return { latencies, perSecond }
}

async function subscribeAll(core: Core, sink: Child, which: Case): Promise<void> {
  const ports = await ask<readonly number[]>(sink, '/endpoints')
  for (const [endpoint, port] of ports.entries()) {
    const path = endpoint === healthy && which === 'one of ten hangs' ? 'hang' : 'ok'
    const subscribed = await core.webhooks.subscribe({
      details: {
        url: `http://127.0.0.1:${port}/${path}`,
        description: null,
        types: ['PAYMENT_CREATED'],
        filter: { statuses: null, components: null },
      },
      reach: { allClients: false, system: false },
      caller,
    })
    if (subscribed.isErr()) throw new Error(subscribed.error.kind)
  }
}

/** When each payment's commit was answered, on the clock of all processes. */
async function createPaced(core: Core, forSeconds: number): Promise<ReadonlyMap<string, number>> {
  const committedAt = new Map<string, number>()
  const startedAt = nowMs()
  for (let count = 0; count < eventsPerSecond * forSeconds; count += 1) {
    const waitMs = startedAt + (count * 1000) / eventsPerSecond - nowMs()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    committedAt.set(await createOne(core), nowMs())
  }
  return committedAt
}

async function burstPerSecond(core: Core, sink: Child): Promise<number> {
  let [started, firstAt] = [0, Number.POSITIVE_INFINITY]
  const run = async (): Promise<void> => {
    while (started < burst) {
      started += 1
      await createOne(core)
      firstAt = Math.min(firstAt, nowMs())
    }
  }
  await Promise.all(Array.from({ length: writers }, run))
  const arrivals = await arrivalsOf(sink, burst)
  const lastAt = arrivals.reduce((latest, [, , atMs]) => Math.max(latest, atMs), 0)
  return (arrivals.length * 1000) / (lastAt - firstAt)
}

let created = 0

async function createOne(core: Core): Promise<string> {
  created += 1
  const payment = await core.payments.create({
    details: {
      amount: 12_50,
      currency: 'USD' as Currency,
      payee: { id: 'utility-7', name: 'City Water' },
      userId: 'user-1',
      reference: null,
      metadata: {},
    },
    caller,
    idempotency: { key: `bench-${created}`, answerOf: () => '{}' },
  })
  if (payment.isErr()) throw new Error(payment.error.kind)
  return payment.value.value?.id ?? ''
}

/** What came to the endpoints that are healthy in both cases, once so many payments have reached each of them. */
async function arrivalsOf(sink: Child, payments: number): Promise<readonly Arrival[]> {
  const wanted = payments * healthy
  const arrivals: Arrival[] = []
  const givesUpAt = nowMs() + 60_000
  while (arrivals.length < wanted) {
    if (nowMs() > givesUpAt) throw new Error(`${arrivals.length} of ${wanted} deliveries arrived`)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const come = await ask<readonly Arrival[]>(sink, '/arrivals')
    arrivals.push(...come.filter(([endpoint]) => endpoint < healthy))
  }
  return arrivals
}

/** What hangs holds up the end of the service for its whole time-out. */
async function releasing(sink: Child, working: Promise<void>): Promise<void> {
  let ended = false
  const end = working.then(() => {
    ended = true
  })
  while (!ended) {
    await ask(sink, '/release')
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 100))])
  }
}

async function ask<T>({ url }: Child, path: string): Promise<T> {
  return (await (await fetch(`${url}${path}`)).json()) as T
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
