import { join } from 'node:path'
import { type Child, startChild, startHost } from './lib/child.ts'
import { syncMs } from './lib/disk.ts'
import { openLine, putRequest } from './lib/line.ts'
import { type Aim, progress, type Report, ratioOf } from './lib/report.ts'
import { median, percentile } from './lib/statistics.ts'
import { tokenFor } from './lib/token.ts'
import { temporaryDirectory } from './lib/workspace.ts'
import { storePeers } from './write-store.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5)
const seconds = Number(process.env['BENCH_SECONDS'] ?? 4)
const clientCounts = [1, 64] as const

type Round = Readonly<{ perSecond: number; p50Ms: number; p99Ms: number }>
type Peer = Readonly<{ name: string; child: Child; token: string }>

/** Conditional PUTs by clients that each write their own key, If-Match from the answer before. */
export async function write(): Promise<Report> {
  using directory = temporaryDirectory()
  const disk = syncMs(directory.path)
  const http = await overHttp(directory.path)
  const store = await storePeers(directory.path, { rounds, seconds: Math.min(seconds, 3) })
  const httpRates = (name: string): readonly number[] => (http.get(name) ?? []).map(({ perSecond }) => perSecond)
  const rate = (name: string): number => median(httpRates(name))
  const storeRates = (name: string): readonly number[] => store.get(name) ?? []
  const httpTable = [...http].map(([name, all]) => ({
    what: `http ${name}`,
    'writes/s': rate(name),
    'p50 ms': median(all.map(({ p50Ms }) => p50Ms)),
    'p99 ms': median(all.map(({ p99Ms }) => p99Ms)),
  }))
  const storeTable = [...store.keys()].map((name) => ({
    what: `store ${name}`,
    'writes/s': median(storeRates(name)),
    'p50 ms': '',
    'p99 ms': '',
  }))
  return {
    setup: {
      durability: 'PRAGMA synchronous = FULL everywhere; data on the disk of the temporary directory',
      http: `${rounds} rounds of ${seconds} s, medians; same handler and request log, stores as named; relay running`,
      store: '64 concurrent callers',
      disk: `write and fdatasync of a page ${disk.toFixed(3)} ms (p50)`,
    },
    table: [...httpTable, ...storeTable],
    aims: [
      aimOf(
        'over HTTP at 64 clients, of the host with one commit per write',
        2,
        httpRates('shared commits, 64 clients'),
        httpRates('one commit per write, 64 clients'),
      ),
      aimOf(
        'put-config through core at 64 callers, of node:sqlite writing all rows of a unit',
        10,
        storeRates('core, shared commits'),
        storeRates('node:sqlite, all rows of a unit'),
      ),
      aimOf(
        'put-config through core at 64 callers, of node:sqlite writing one row',
        10,
        storeRates('core, shared commits'),
        storeRates('node:sqlite, version row only'),
      ),
      aimOf(
        'transactions.attempt at 64 callers, of node:sqlite writing all rows of a unit',
        10,
        storeRates('transactions, shared commits'),
        storeRates('node:sqlite, all rows of a unit'),
      ),
      aimOf(
        'put-config through core, of the same core with one commit per write',
        10,
        storeRates('core, shared commits'),
        storeRates('core, one commit per write'),
      ),
    ],
    samples: { http: Object.fromEntries(http), store: Object.fromEntries(store) },
  }
}

function aimOf(what: string, aim: number, own: readonly number[], peer: readonly number[]): Aim {
  return { what, ...ratioOf(own, peer), unit: 'x', aim, better: 'higher' }
}

async function overHttp(directory: string): Promise<ReadonlyMap<string, readonly Round[]>> {
  await using children = new AsyncDisposableStack()
  const hostFile = join(import.meta.dirname, 'peers/write-host.ts')
  const start = async (name: string, mode: string): Promise<Peer> => {
    const dataDir = join(directory, mode)
    const log = join(directory, `${mode}.txt`)
    const child = children.use(
      mode === 'service' ? await startHost(dataDir, { log }) : await startChild([hostFile, dataDir, mode], { log }),
    )
    return { name, child, token: await tokenFor(dataDir) }
  }
  const peers = [
    await start('shared commits', 'shared'),
    await start('one commit per write', 'plain'),
    await start('the service', 'service'),
  ]
  const samples = new Map<string, Round[]>()
  for (let round = 0; round <= rounds; round += 1) {
    for (const clients of clientCounts) {
      for (const [index] of peers.entries()) {
        const peer = peers[(index + round) % peers.length] as Peer
        const measured = await putFor(peer, clients, round, round === 0 ? 1 : seconds)
        const name = `${peer.name}, ${clients} ${clients === 1 ? 'client' : 'clients'}`
        progress(`  round ${round} ${name}: ${Math.round(measured.perSecond)}/s`)
        if (round > 0) samples.set(name, [...(samples.get(name) ?? []), measured])
      }
    }
  }
  return new Map([...samples].toSorted(([left], [right]) => left.localeCompare(right)))
}

async function putFor({ child, token }: Peer, clients: number, round: number, forSeconds: number): Promise<Round> {
  const latencies: number[] = []
  const startedAt = performance.now()
  const endsAt = startedAt + forSeconds * 1000
  const runClient = async (client: number): Promise<void> => {
    using line = await openLine(child.port)
    const path = `/config/load/round-${round}.of-${clients}.client-${client}`
    let etag: string | null = null
    for (let count = 0; performance.now() < endsAt; count += 1) {
      const sentAt = performance.now()
      const answer = await line.send(putRequest({ path, token, etag, value: { count, limit: 250_000, currency: 'EUR' } }))
      latencies.push(performance.now() - sentAt)
      if (answer.status !== (etag === null ? 201 : 200)) throw new Error(`PUT answered ${answer.status}: ${answer.body}`)
      etag = answer.etag
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => runClient(client)))
  const tookSeconds = (performance.now() - startedAt) / 1000
  return { perSecond: latencies.length / tookSeconds, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) }
}
