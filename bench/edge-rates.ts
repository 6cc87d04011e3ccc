import { type EdgePeer, names, readPath } from './edge-peers.ts'
import { arrivalsApart } from './lib/arrivals-process.ts'
import type { Child } from './lib/child.ts'
import { postRequest } from './lib/line.ts'
import type { Generator } from './lib/load.ts'
import { progress } from './lib/report.ts'

export type Rate = Readonly<{ perSecond: number; p50Ms: number; p99Ms: number; cpuMicros: number }>
export type Rates = ReadonlyMap<string, readonly Rate[]>
export type Rounds = Readonly<{ rounds: number; seconds: number }>

export const connections = 64
const warmSeconds = 1.5

const bill = JSON.stringify({
  amount: 12_50,
  currency: 'USD',
  payee: { id: 'utility-7', name: 'City Water' },
  userId: 'user-1',
  metadata: { invoice: 'A-17' },
})

/** A payment under an Idempotency-Key of its own each time. */
export function createRequest({ token }: EdgePeer): string {
  return postRequest({ path: '/payments', token, idempotencyKey: '{n}', body: bill })
}

export function getRequest({ headers }: EdgePeer): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${readPath} HTTP/1.1\r\nhost: bench\r\n${fields.join('')}\r\n`
}

/** The cached value, from all in turn. */
export function readRates(peers: readonly EdgePeer[], generator: Generator, rounds: Rounds): Promise<Rates> {
  return inTurn(peers, rounds, async ({ name, child, headers }, seconds) => {
    const figures = await generator.run({ url: `${child.url}${readPath}`, headers, connections, seconds: Math.ceil(seconds) })
    if (figures.failures > 0) throw new Error(`${name} failed ${figures.failures} requests`)
    return figures
  })
}

/** Payments, from those that create them, in turn. */
export function createRates(peers: readonly EdgePeer[], rounds: Rounds): Promise<Rates> {
  const creating = peers.filter(({ name }) => name === names.own || name === names.fastify || name === names.tuned)
  return inTurn(creating, rounds, async (peer, seconds) => {
    const plan = { port: peer.child.port, request: createRequest(peer), perSecond: null, connections, seconds }
    const { sent, acceptedPerSecond, p50Ms, p99Ms, failures, shed, statuses } = await arrivalsApart(plan)
    if (failures + shed > 0) throw new Error(`${peer.name} failed some requests: ${JSON.stringify(statuses)}`)
    return { requests: sent, perSecond: acceptedPerSecond, p50Ms, p99Ms }
  })
}

type Measured = Omit<Rate, 'cpuMicros'> & Readonly<{ requests: number }>

/** The first round warms up; the order turns, so that nobody always runs after the same neighbour. */
async function inTurn(
  peers: readonly EdgePeer[],
  { rounds, seconds }: Rounds,
  measure: (peer: EdgePeer, seconds: number) => Promise<Measured>,
): Promise<Rates> {
  const rates = new Map<string, Rate[]>(peers.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index] of peers.entries()) {
      const peer = peers[(index + round) % peers.length] as EdgePeer
      const spentMs = peer.child.cpuMs()
      const { requests, perSecond, p50Ms, p99Ms } = await measure(peer, round === 0 ? warmSeconds : seconds)
      const cpuMicros = ((peer.child.cpuMs() - spentMs) * 1000) / requests
      progress(`  round ${round} ${peer.name}: ${Math.round(perSecond)}/s, ${cpuMicros.toFixed(1)} us`)
      if (round > 0) rates.get(peer.name)?.push({ perSecond, p50Ms, p99Ms, cpuMicros })
      await untilIdle(peer.child)
    }
  }
  return rates
}

/** What is relayed after the last answer must not slow down the next in turn. */
export async function untilIdle({ cpuMs }: Child): Promise<void> {
  for (let before = cpuMs(), looks = 0; looks < 50; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const now = cpuMs()
    if (now - before <= 20) return
    before = now
  }
}
