import { admissionCosts, type Costs } from './edge-costs.ts'
import { type Overload, overload, phaseNames, probesPerSecond } from './edge-overload.ts'
import { type EdgePeer, names, startPeers } from './edge-peers.ts'
import { connections, createRates, createRequest, getRequest, type Rates, readRates } from './edge-rates.ts'
import { loadGenerator } from './lib/load.ts'
import { type Aim, type Report, ratioOf } from './lib/report.ts'
import { median } from './lib/statistics.ts'
import { temporaryDirectory } from './lib/workspace.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3)
const seconds = Number(process.env['BENCH_SECONDS'] ?? 3)
/** `BENCH_PARTS=overload` and the like run some of it. */
const parts = (process.env['BENCH_PARTS'] ?? 'rates,costs,overload').split(',')
const overloadSeconds = Number(process.env['BENCH_OVERLOAD_SECONDS'] ?? 10)
/** Connections of the crowd: well below what a process may open. */
const crowd = Number(process.env['BENCH_CROWD'] ?? 6000)

type Rows = Report['table']

/** Requests that are authenticated, counted against two limits and validated, up to the point where there are far too many of them. */
export async function edge(): Promise<Report> {
  using directory = temporaryDirectory()
  await using children = new AsyncDisposableStack()
  const { peers, exemplar } = await startPeers(directory.path, children)
  const generator = loadGenerator()
  const ownPeer = peers.find(({ name }) => name === names.own) as EdgePeer
  const some = (part: string): boolean => parts.includes(part)
  const reads = some('rates') ? await readRates(peers, generator, { rounds, seconds }) : new Map()
  const creates = some('rates') ? await createRates(peers, { rounds, seconds }) : new Map()
  const costs = some('costs') ? await admissionCosts(directory.path, rounds, seconds / 4) : new Map()
  const overloads: Overload[] = []
  if (some('overload')) {
    const options = { crowd, seconds: overloadSeconds }
    overloads.push(await overload('GET', ownPeer, getRequest(ownPeer), options))
    overloads.push(await overload('POST', ownPeer, createRequest(ownPeer), options))
  }
  return {
    setup: {
      GET: `${exemplar.body.length} bytes from the cache; ${generator.name}, ${connections} connections, ${rounds} rounds of ${seconds} s in turns, medians`,
      POST: 'a payment, durable before it is answered; a generator of its own with as many connections, in the same way',
      cbp: 'as npm start runs it; both rate limits counted and told in each answer, so high that nothing is refused',
      fastify: '@fastify/helmet, @fastify/rate-limit by address and by client in memory, @fastify/jwt, schemas, one log line',
      overload: `${crowd} connections from 16 addresses and a process at nice 10, evenly spaced arrivals; p50 and p99 of accepted requests among ${probesPerSecond}/s from a process that has little else to do`,
    },
    table: [...rateRows('GET', reads), ...rateRows('POST', creates)],
    further: { 'admission of one request': costRows(costs), 'more than it can do': overloads.flatMap(overloadRows) },
    aims: [...readAims(reads), ...createAims(creates), ...overloads.flatMap(overloadAims)],
    notes: [
      'tuned: verified tokens remembered and the log gathered, as cbp does; fastify writes less (no metrics, no second limit in its header fields)',
      'fastify creates without Idempotency-Key, history, relay and webhooks',
      'generator and server share the processors. Unsent: all connections waited for an answer. Missed: the generator itself came more than 25 ms late',
      ...overloads.map(
        ({ what, rssMiB: [before, after] }) => `${what}: ${before.toFixed(0)} MiB resident before, ${after.toFixed(0)} after`,
      ),
    ],
    samples: { reads: Object.fromEntries(reads), creates: Object.fromEntries(creates), costs: Object.fromEntries(costs), overloads },
  }
}

function rateRows(what: string, rates: Rates): Rows {
  const own = median((rates.get(names.own) ?? []).map(({ perSecond }) => perSecond))
  return [...rates].map(([name, figures]) => {
    const perSecond = median(figures.map((figure) => figure.perSecond))
    return {
      request: `${what} ${name}`,
      'requests/s': perSecond,
      best: Math.max(...figures.map((figure) => figure.perSecond)),
      'cpu us': median(figures.map(({ cpuMicros }) => cpuMicros)),
      'p50 ms': median(figures.map(({ p50Ms }) => p50Ms)),
      'p99 ms': median(figures.map(({ p99Ms }) => p99Ms)),
      'cbp is': `${(own / perSecond).toFixed(2)} x`,
    }
  })
}

function costRows(costs: Costs): Rows {
  return [...costs].map(([step, figures]) => ({
    step,
    'cpu us': median(figures.map(({ cpuMicros }) => cpuMicros)),
    least: Math.min(...figures.map(({ cpuMicros }) => cpuMicros)),
    most: Math.max(...figures.map(({ cpuMicros }) => cpuMicros)),
  }))
}

function overloadRows({ what, sustainable, phases }: Overload): Rows {
  return phases.map(({ phase, offered, crowd: all, probe, cpuShare }) => ({
    load: `${what}, ${phase} of ${Math.round(sustainable)}/s`,
    'due/s': offered,
    'unsent %': (100 * all.unsent) / all.due,
    'missed %': (100 * all.missed) / all.due,
    'accepted/s': all.acceptedPerSecond,
    'shed/s': all.shedPerSecond,
    failures: all.failures + probe.failures,
    'p50 ms': probe.p50Ms,
    'p99 ms': probe.p99Ms,
    "crowd's p99 ms": all.p99Ms,
    "crowd's lag ms": all.lagP99Ms,
    'cpu %': 100 * cpuShare,
  }))
}

function readAims(rates: Rates): readonly Aim[] {
  return [
    ...against('GET', rates, names.fastify, 1.5),
    ...against('GET', rates, names.tuned, 1.5),
    ...against('GET', rates, names.raw, 0.4),
  ]
}

function createAims(rates: Rates): readonly Aim[] {
  return [...against('POST', rates, names.fastify, 1.5), ...against('POST', rates, names.tuned, 1.5)]
}

function against(what: string, rates: Rates, peer: string, aim: number): readonly Aim[] {
  const [own, other] = [rates.get(names.own) ?? [], rates.get(peer) ?? []]
  if (own.length === 0) return []
  const perSecond = ratioOf(
    own.map((rate) => rate.perSecond),
    other.map((rate) => rate.perSecond),
  )
  const perProcessor = ratioOf(
    own.map(({ cpuMicros }) => 1 / cpuMicros),
    other.map(({ cpuMicros }) => 1 / cpuMicros),
  )
  return [
    { what: `${what}, of ${peer}, requests/s`, ...perSecond, unit: 'x', aim, better: 'higher' },
    { what: `${what}, of ${peer}, requests per processor second`, ...perProcessor, unit: 'x', aim, better: 'higher' },
  ]
}

function overloadAims({ what, phases }: Overload): readonly Aim[] {
  const [normal, overloaded, after] = [phaseNames.normal, phaseNames.overload, phaseNames.after].map((name) =>
    phases.find(({ phase }) => phase === name),
  )
  if (normal === undefined || overloaded === undefined || after === undefined) return []
  const p99 = overloaded.probe.p99Ms / normal.probe.p99Ms
  const failures = phases.reduce((sum, { crowd: all, probe }) => sum + all.failures + probe.failures, 0)
  return [
    { what: `${what} at 10 times the load, p99 of what is accepted, of normal`, figure: p99, unit: 'x', aim: 3, better: 'lower' },
    { what: `${what}, requests that failed otherwise than by 503`, figure: failures, unit: '', aim: 0, better: 'lower' },
    {
      what: `${what} at half the load right after it, accepted of what is sent`,
      figure: after.crowd.accepted / after.crowd.sent,
      unit: '',
      aim: 0.99,
      better: 'higher',
    },
  ]
}
