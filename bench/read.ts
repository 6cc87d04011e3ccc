import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, startChild, startHost } from './lib/child.ts'
import { type Generator, type LoadFigures, loadGenerator } from './lib/load.ts'
import { type Aim, progress, type Report, ratioOf } from './lib/report.ts'
import { median } from './lib/statistics.ts'
import { tokenFor } from './lib/token.ts'
import { temporaryDirectory } from './lib/workspace.ts'

const path = '/config/payments/retry.policy?scope=/production/first-cu'
const value = { maxAttempts: 5, backoffMs: [100, 400, 1600, 6400], jitter: 'full', retryOn: ['timeout', 'unavailable'], deadlineMs: 30_000 }
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5)
const seconds = Number(process.env['BENCH_SECONDS'] ?? 4)
const connections = 64

type Exemplar = Readonly<{ headers: Readonly<Record<string, string>>; body: string }>
type Peer = Readonly<{ name: string; child: Child }>
type Sample = LoadFigures & Readonly<{ cpuMicros: number }>
type Samples = Map<string, Sample[]>

/** The same entry from the service, from bare node:http, and from Fastify with the plugins that do the same work. */
export async function read(): Promise<Report> {
  using directory = temporaryDirectory()
  await using children = new AsyncDisposableStack()
  const token = await tokenFor(directory.path)
  const authorization = { authorization: `Bearer ${token}` }
  const host = children.use(await startHost(directory.path))
  const exemplar = await prepare(host, authorization)
  const exemplarText = JSON.stringify(exemplar)
  const start = async (name: string, file: string, ...args: readonly string[]): Promise<Peer> => {
    const log = join(directory.path, `${name.replaceAll(/\W/g, '-')}.txt`)
    return { name, child: children.use(await startChild([join(import.meta.dirname, 'peers', file), exemplarText, ...args], { log })) }
  }
  const publicKey = publicPem(directory.path)
  const peers = [
    { name: 'cbp', child: host },
    await start('node:http', 'raw-read.ts'),
    await start('fastify', 'fastify-read.ts', publicKey, join(directory.path, 'fastify.log'), 'default'),
    await start('fastify, tuned', 'fastify-read.ts', publicKey, join(directory.path, 'tuned.log'), 'tuned'),
  ]
  for (const { child } of peers) await requireSame(child, authorization, exemplar)
  const generator = loadGenerator()
  const full = await measure(generator, peers, () => authorization)
  const tags = new Map<string, string>()
  for (const { name, child } of peers) tags.set(name, await etagOf(child, authorization))
  const unchanged = await measure(generator, peers, (name) => ({ ...authorization, 'if-none-match': tags.get(name) ?? '' }))
  return report(generator, exemplar, full, unchanged)
}

async function prepare(host: Child, authorization: Readonly<Record<string, string>>): Promise<Exemplar> {
  const put = await fetch(`${host.url}/config/payments/retry.policy?scope=/production`, {
    method: 'PUT',
    headers: { ...authorization, 'content-type': 'application/json', 'if-none-match': '*' },
    body: JSON.stringify({ value, reason: 'bench' }),
  })
  if (put.status !== 201) throw new Error(`the entry was not written: ${put.status} ${await put.text()}`)
  const answer = await fetch(`${host.url}${path}`, { headers: { ...authorization, 'accept-encoding': 'identity' } })
  const ofConnection = new Set(['date', 'connection', 'keep-alive'])
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !ofConnection.has(name)))
  return { headers, body: await answer.text() }
}

/** Every peer answers the same body and the same names of header fields. */
async function requireSame(
  { url }: Child,
  headers: Readonly<Record<string, string>>,
  { headers: expected, body }: Exemplar,
): Promise<void> {
  const answer = await fetch(`${url}${path}`, { headers: { ...headers, 'accept-encoding': 'identity' } })
  const missing = Object.keys(expected).filter((name) => !answer.headers.has(name))
  if (answer.status !== 200 || (await answer.text()) !== body || missing.length > 0) {
    throw new Error(`a peer answers something else: ${answer.status}, without ${missing.join(', ')}`)
  }
}

async function etagOf({ url }: Child, headers: Readonly<Record<string, string>>): Promise<string> {
  const etag = (await fetch(`${url}${path}`, { headers: { ...headers, 'accept-encoding': 'identity' } })).headers.get('etag') ?? ''
  const again = await fetch(`${url}${path}`, { headers: { ...headers, 'if-none-match': etag } })
  if (again.status !== 304) throw new Error(`a peer does not know its own tag ${etag}: ${again.status}`)
  return etag
}

async function measure(
  generator: Generator,
  peers: readonly Peer[],
  headersFor: (name: string) => Readonly<Record<string, string>>,
): Promise<Samples> {
  const samples: Samples = new Map()
  for (let round = 0; round <= rounds; round += 1) {
    // The first round warms up; the order turns, so that nobody always runs after the same neighbour.
    for (const [index] of peers.entries()) {
      const peer = peers[(index + round) % peers.length] as Peer
      const load = { url: `${peer.child.url}${path}`, headers: headersFor(peer.name), connections, seconds: round === 0 ? 2 : seconds }
      const spentMs = peer.child.cpuMs()
      const figures = await generator.run(load)
      const cpuMicros = ((peer.child.cpuMs() - spentMs) * 1000) / figures.requests
      if (figures.failures > 0) throw new Error(`${peer.name} failed ${figures.failures} requests`)
      progress(`  round ${round} ${peer.name}: ${Math.round(figures.perSecond)}/s, ${cpuMicros.toFixed(1)} us`)
      if (round > 0) samples.set(peer.name, [...(samples.get(peer.name) ?? []), { ...figures, cpuMicros }])
    }
  }
  return samples
}

function report(generator: Generator, exemplar: Exemplar, full: Samples, unchanged: Samples): Report {
  const rates = (samples: Samples, name: string): readonly number[] => (samples.get(name) ?? []).map(({ perSecond }) => perSecond)
  const costs = (samples: Samples, name: string): readonly number[] => (samples.get(name) ?? []).map(({ cpuMicros }) => cpuMicros)
  const yields = (samples: Samples, name: string): readonly number[] => costs(samples, name).map((micros) => 1e6 / micros)
  const rate = (samples: Samples, name: string): number => median(rates(samples, name))
  const row = (answer: string, samples: Samples) => (name: string) => ({
    answer: `${answer} ${name}`,
    'requests/s': rate(samples, name),
    best: Math.max(...rates(samples, name)),
    'cpu us': median(costs(samples, name)),
    'p50 ms': median((samples.get(name) ?? []).map(({ p50Ms }) => p50Ms)),
    'p99 ms': median((samples.get(name) ?? []).map(({ p99Ms }) => p99Ms)),
    'cbp is': `${(rate(samples, 'cbp') / rate(samples, name)).toFixed(2)} x`,
  })
  const against = (peer: string, aim: number): readonly Aim[] => [
    { what: `of ${peer}, requests/s`, ...ratioOf(rates(full, 'cbp'), rates(full, peer)), unit: 'x', aim, better: 'higher' },
    {
      what: `of ${peer}, requests per processor second`,
      ...ratioOf(yields(full, 'cbp'), yields(full, peer)),
      unit: 'x',
      aim,
      better: 'higher',
    },
  ]
  return {
    setup: {
      generator: `${generator.name}, ${connections} connections, ${rounds} rounds of ${seconds} s, medians`,
      answer: `${exemplar.body.length} bytes, ${Object.keys(exemplar.headers).length} header fields besides the connection's`,
      work: 'cbp and fastify: verify an EdDSA token, validate parameters, look up, ETag, one log line to a file',
    },
    table: [...[...full.keys()].map(row('200', full)), ...[...unchanged.keys()].map(row('304', unchanged))],
    aims: [...against('node:http', 0.5), ...against('fastify', 2), ...against('fastify, tuned', 2)],
    notes: [
      'fastify: @fastify/jwt, @fastify/etag and its own log file; tuned: verified tokens cached and the log gathered too, stricter than the aim',
    ],
    samples: { full: Object.fromEntries(full), unchanged: Object.fromEntries(unchanged) },
  }
}

function publicPem(dataDir: string): string {
  const { d: _private, ...jwk } = JSON.parse(readFileSync(join(dataDir, 'development-signing-key.json'), 'utf8')) as JsonWebKey
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()
}
