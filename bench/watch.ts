import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, type ChildOptions, type Memory, startChild, startHost } from './lib/child.ts'
import { connected, type Line, openLine, putRequest } from './lib/line.ts'
import { progress, type Report } from './lib/report.ts'
import { mean, median, percentile } from './lib/statistics.ts'
import { tokenFor } from './lib/token.ts'
import { temporaryDirectory } from './lib/workspace.ts'

const watcherCount = Number(process.env['BENCH_WATCHERS'] ?? 1000)
const writes = Number(process.env['BENCH_WRITES'] ?? 100)
const marker = Buffer.from('event: change')
const kibibyte = 1024

type Arrivals = Readonly<{ sinceSent: number[]; sinceAnswered: number[]; putMs: number[]; lastMs: number[] }>

/** One write after another to a process with many server-sent-event watchers, all of them clients of this process. */
export async function watch(): Promise<Report> {
  using directory = temporaryDirectory()
  const bare = {
    memory: await memoryPerWatcher(join(directory.path, 'bare'), startBare),
    ...(await latencies(join(directory.path, 'bare'), startBare)),
  }
  const memory = await memoryPerWatcher(join(directory.path, 'memory'), startHost)
  const { alone, arrivals } = await latencies(join(directory.path, 'latency'), startHost)
  const rows = [
    ['write sent to arrival', arrivals.sinceSent],
    ['write answered to arrival', arrivals.sinceAnswered],
    ['write sent to last arrival', arrivals.lastMs],
    ['PUT, no watchers', alone],
    [`PUT, ${watcherCount} watchers`, arrivals.putMs],
    ['node:http, write sent to arrival', bare.arrivals.sinceSent],
    ['node:http, write sent to last arrival', bare.arrivals.lastMs],
  ] as const
  return {
    setup: { watchers: watcherCount, writes, client: 'raw sockets in one other process on this machine' },
    table: rows.map(([what, samples]) => ({
      what,
      'p50 ms': percentile(samples, 0.5),
      'p90 ms': percentile(samples, 0.9),
      'p99 ms': percentile(samples, 0.99),
      'max ms': percentile(samples, 1),
      'mean ms': mean(samples),
    })),
    aims: [
      {
        what: 'p99 of arrival since the write was sent',
        figure: percentile(arrivals.sinceSent, 0.99),
        unit: 'ms',
        aim: 50,
        better: 'lower',
      },
      { what: 'heap and external memory of a watcher, collected', figure: heapOf(memory), unit: 'KiB', aim: 10, better: 'lower' },
      { what: 'resident memory of a watcher', figure: residentOf(memory), unit: 'KiB', aim: 10, better: 'lower' },
    ],
    notes: [
      `an open response of bare node:http takes ${heapOf(bare.memory).toFixed(1)} KiB of heap, ${residentOf(bare.memory).toFixed(1)} KiB resident`,
      `PUT p50 with watchers is ${(median(arrivals.putMs) / median(alone)).toFixed(2)} x that without`,
      `resident memory of sockets in the kernel is not counted; process ${(memory.before.rss / 2 ** 20).toFixed(0)} MiB before, ${(memory.after.rss / 2 ** 20).toFixed(0)} MiB after`,
    ],
    samples: {
      memory,
      putAlone: alone,
      putWatched: arrivals.putMs,
      lastMs: arrivals.lastMs,
      sinceSent: arrivals.sinceSent.map(tenth),
    },
  }
}

type Taken = Readonly<{ before: Memory; after: Memory; gone: Memory }>
type Starting = (dataDir: string, options: ChildOptions) => Promise<Child>

const startBare: Starting = (_dataDir, options) => startChild([join(import.meta.dirname, 'peers/raw-watch.ts')], options)

function heapOf({ before, after }: Taken): number {
  return (after.heapUsed + after.external - before.heapUsed - before.external) / watcherCount / kibibyte
}

function residentOf({ before, after }: Taken): number {
  return (after.rss - before.rss) / watcherCount / kibibyte
}

function tenth(ms: number): number {
  return Math.round(ms * 10) / 10
}

/** The service first serves crowds that leave again, so that what it needs only once is not charged to the watchers. */
async function memoryPerWatcher(dataDir: string, starting: Starting): Promise<Taken> {
  const token = await tokenFor(dataDir)
  await using host = await starting(dataDir, { probed: true, log: join(dataDir, 'stderr.txt') })
  using line = await openLine(host.port)
  let etag = await put(line, token, null, 0)
  const serve = async (): Promise<Memory> => {
    const sockets = await openWatchers(host, token, () => {})
    for (let count = 1; count <= 10; count += 1) {
      etag = await put(line, token, etag, count)
      await sleep(50)
    }
    const taken = await settledMemory(host)
    for (const socket of sockets) socket.destroy()
    await sleep(500)
    return taken
  }
  for (let crowd = 0; crowd < 3; crowd += 1) await serve()
  const before = await settledMemory(host)
  const after = await serve()
  const gone = await settledMemory(host)
  progress(`  memory: ${JSON.stringify({ before, after, gone })}`)
  return { before, after, gone }
}

async function settledMemory(host: Child): Promise<Memory> {
  await sleep(500)
  await host.memory()
  await sleep(200)
  const { heapUsed, external } = await host.memory()
  const rss = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${host.pid}/status`, 'utf8'))?.[1] ?? 0) * kibibyte
  return { heapUsed, external, rss }
}

async function latencies(dataDir: string, starting: Starting): Promise<{ alone: readonly number[]; arrivals: Arrivals }> {
  const token = await tokenFor(dataDir)
  await using host = await starting(dataDir, { log: join(dataDir, 'stderr.txt') })
  using line = await openLine(host.port)
  let etag = await put(line, token, null, 0)
  const alone: number[] = []
  for (let count = 0; count < writes + 50; count += 1) {
    const sentAt = performance.now()
    etag = await put(line, token, etag, count)
    if (count >= 50) alone.push(performance.now() - sentAt)
    await sleep(10)
  }
  const crowd = watchedRound()
  const sockets = await openWatchers(host, token, crowd.arrived)
  const arrivals: Arrivals = { sinceSent: [], sinceAnswered: [], putMs: [], lastMs: [] }
  for (let count = 0; count < writes + 5; count += 1) {
    const all = crowd.begin()
    const sentAt = performance.now()
    etag = await put(line, token, etag, count)
    const answeredAt = performance.now()
    const times = await all
    if (count >= 5) note(arrivals, sentAt, answeredAt, times)
    await sleep(20)
  }
  for (const socket of sockets) socket.destroy()
  return { alone, arrivals }
}

function note({ sinceSent, sinceAnswered, putMs, lastMs }: Arrivals, sentAt: number, answeredAt: number, times: readonly number[]): void {
  for (const time of times) {
    sinceSent.push(time - sentAt)
    sinceAnswered.push(time - answeredAt)
  }
  putMs.push(answeredAt - sentAt)
  lastMs.push(Math.max(...times) - sentAt)
}

/** Gathers the arrival of one write at every watcher. */
function watchedRound(): { arrived: () => void; begin: () => Promise<readonly number[]> } {
  let times: number[] = []
  let complete: ((times: readonly number[]) => void) | null = null
  return {
    arrived() {
      times.push(performance.now())
      if (times.length === watcherCount) complete?.(times)
    },
    begin: () =>
      new Promise((resolve, reject) => {
        const deadline = setTimeout(() => reject(new Error(`only ${times.length} watchers heard of a write`)), 10_000)
        times = []
        complete = (all) => {
          clearTimeout(deadline)
          resolve(all)
        }
      }),
  }
}

async function openWatchers(host: Child, token: string, arrived: () => void): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  for (let count = 0; count < watcherCount; count += 1) {
    const socket = await connected(host.port)
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        if (chunk.includes(marker)) arrived()
        else resolve()
      })
      socket.write(`GET /config/watch HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\nAccept: text/event-stream\r\n\r\n`)
    })
    sockets.push(socket)
  }
  return sockets
}

async function put(line: Line, token: string, etag: string | null, count: number): Promise<string> {
  const value = { count, nonce: randomBytes(8).toString('hex') }
  const answer = await line.send(putRequest({ path: '/config/payments/retry.max-attempts', token, etag, value }))
  if (answer.status > 201 || answer.etag === null) throw new Error(`PUT answered ${answer.status}: ${answer.body}`)
  return answer.etag
}
