import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, startChild, startHost } from './lib/child.ts'
import { syncMs } from './lib/disk.ts'
import { openLine, postRequest } from './lib/line.ts'
import { progress, type Report, ratioOf } from './lib/report.ts'
import { median, percentile } from './lib/statistics.ts'
import { tokenFor } from './lib/token.ts'
import { temporaryDirectory } from './lib/workspace.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5)
const seconds = Number(process.env['BENCH_SECONDS'] ?? 4)
const clients = 64
const bill = JSON.stringify({
  amount: 12_50,
  currency: 'USD',
  payee: { id: 'utility-7', name: 'City Water' },
  userId: 'user-1',
  metadata: { invoice: 'A-17' },
})

type Peer = Readonly<{ name: string; child: Child; token: string }>
type Round = Readonly<{ perSecond: number; p50Ms: number; p99Ms: number; cpuMicros: number; accepted: number }>
type Posted = Round & Readonly<{ locations: readonly string[] }>

const [own, peer, processing] = ['the service', 'fastify, one transaction per request', 'the service, process'] as const

/** Durable payments created over HTTP, every request under an Idempotency-Key of its own. */
export async function create(): Promise<Report> {
  using directory = temporaryDirectory()
  const disk = syncMs(directory.path)
  const samples = await measure(directory.path)
  const of = (name: string): readonly Round[] => samples.get(name) ?? []
  const rates = (name: string): readonly number[] => of(name).map(({ perSecond }) => perSecond)
  return {
    setup: {
      load: `${clients} clients on connections of their own, ${rounds} rounds of ${seconds} s in turns, medians`,
      'the service': 'as npm start runs it: token, Idempotency-Key, history, relay, webhooks, reconciler and log on',
      fastify: 'schema of the body, one transaction of two rows; no token, no key, no history, no log',
      durability: 'PRAGMA synchronous = FULL in both; data on the disk of the temporary directory',
      disk: `write and fdatasync of a page ${disk.toFixed(3)} ms (p50)`,
    },
    table: [own, peer, processing].map((name) => ({
      what: name,
      'requests/s': median(rates(name)),
      'p50 ms': median(of(name).map(({ p50Ms }) => p50Ms)),
      'p99 ms': median(of(name).map(({ p99Ms }) => p99Ms)),
      'cpu us': median(of(name).map(({ cpuMicros }) => cpuMicros)),
      'answered 202': `${(100 * median(of(name).map(({ accepted }) => accepted))).toFixed(1)} %`,
    })),
    aims: [{ what: 'POST /payments at 64 clients, of fastify', ...ratioOf(rates(own), rates(peer)), unit: 'x', aim: 2, better: 'higher' }],
    notes: [
      'the next in turn begins once the relay has caught up',
      'process: POST /payments/{id}/process of what was just created, against the sandbox inside the service; its own work is in the figure; 202: it settles later',
    ],
    samples: Object.fromEntries(samples),
  }
}

async function measure(directory: string): Promise<ReadonlyMap<string, readonly Round[]>> {
  await using children = new AsyncDisposableStack()
  const peers = [await startService(directory, children), await startFastify(directory, children)]
  const samples = new Map<string, Round[]>()
  const keep = (round: number, name: string, { perSecond, p50Ms, p99Ms, cpuMicros, accepted }: Round): void => {
    progress(`  round ${round} ${name}: ${Math.round(perSecond)}/s, p99 ${p99Ms.toFixed(1)} ms`)
    if (round > 0) samples.set(name, [...(samples.get(name) ?? []), { perSecond, p50Ms, p99Ms, cpuMicros, accepted }])
  }
  for (let round = 0; round <= rounds; round += 1) {
    const forSeconds = round === 0 ? 2 : seconds
    for (const [index] of peers.entries()) {
      const each = peers[(index + round) % peers.length] as Peer
      const posted = await createFor(each, round, forSeconds)
      keep(round, each.name, posted)
      await untilIdle(each.child)
      if (each.name !== own) continue
      keep(round, processing, await processAll(each, posted.locations, round, forSeconds / 2))
      await untilIdle(each.child)
    }
  }
  return samples
}

async function startService(directory: string, children: AsyncDisposableStack): Promise<Peer> {
  const dataDir = join(directory, 'service')
  const child = children.use(await startHost(dataDir, { log: join(directory, 'service.txt') }))
  return { name: own, child, token: await tokenFor(dataDir, 'payments:read payments:write') }
}

async function startFastify(directory: string, children: AsyncDisposableStack): Promise<Peer> {
  const dataDir = join(directory, 'fastify')
  mkdirSync(dataDir, { recursive: true })
  const file = join(import.meta.dirname, 'peers/fastify-create.ts')
  const child = children.use(await startChild([file, join(dataDir, 'payments.sqlite')], { log: join(directory, 'fastify.txt') }))
  return { name: peer, child, token: 'none' }
}

/** What is relayed after the last answer must not slow down the next in turn. */
async function untilIdle({ cpuMs }: Child): Promise<void> {
  for (let before = cpuMs(), looks = 0; looks < 100; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    const now = cpuMs()
    if (now - before <= 40) return
    before = now
  }
}

function createFor({ child, token }: Peer, round: number, forSeconds: number): Promise<Posted> {
  const endsAt = performance.now() + forSeconds * 1000
  return post(child, [201], (client, count) => {
    if (performance.now() >= endsAt) return null
    return postRequest({ path: '/payments', token, idempotencyKey: `create-${round}-${client}-${count}`, body: bill })
  })
}

function processAll({ child, token }: Peer, locations: readonly string[], round: number, forSeconds: number): Promise<Posted> {
  const endsAt = performance.now() + forSeconds * 1000
  let next = 0
  return post(child, [200, 202], () => {
    const location = locations[next]
    if (location === undefined || performance.now() >= endsAt) return null
    next += 1
    return postRequest({ path: `${location}/process`, token, idempotencyKey: `process-${round}-${next}`, body: '' })
  })
}

/** Each client sends its next request once the one before is answered, until there is none. */
async function post(child: Child, expected: readonly number[], nextOf: (client: number, count: number) => string | null): Promise<Posted> {
  const latencies: number[] = []
  const locations: string[] = []
  let accepted = 0
  const [startedAt, cpuBefore] = [performance.now(), child.cpuMs()]
  const runClient = async (client: number): Promise<void> => {
    using line = await openLine(child.port)
    for (let count = 0; ; count += 1) {
      const request = nextOf(client, count)
      if (request === null) return
      const sentAt = performance.now()
      const { status, location, body } = await line.send(request)
      latencies.push(performance.now() - sentAt)
      if (!expected.includes(status)) throw new Error(`POST answered ${status}: ${body}`)
      if (location !== null) locations.push(location)
      if (status === 202) accepted += 1
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => runClient(client)))
  const tookMs = performance.now() - startedAt
  return {
    perSecond: (latencies.length * 1000) / tookMs,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuMicros: ((child.cpuMs() - cpuBefore) * 1000) / latencies.length,
    accepted: accepted / latencies.length,
    locations,
  }
}
