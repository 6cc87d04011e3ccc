import { readFileSync } from 'node:fs'
import type { EdgePeer } from './edge-peers.ts'
import { connections, untilIdle } from './edge-rates.ts'
import { type ArrivalFigures, arrivals } from './lib/arrivals.ts'
import { arrivalsApart } from './lib/arrivals-process.ts'
import { progress } from './lib/report.ts'

/** A crowd from a process of its own, and a few requests from this one, which has little else to do and so hears of an answer in time. */
export type Phase = Readonly<{ phase: string; offered: number; crowd: ArrivalFigures; probe: ArrivalFigures; cpuShare: number }>

export type Overload = Readonly<{
  what: string
  sustainable: number
  phases: readonly Phase[]
  rssMiB: readonly [before: number, after: number]
}>

export const phaseNames = { normal: 'half', overload: '10 times', after: 'half again' } as const

const sustainSeconds = 4
const ordinaryCrowd = 256
export const probesPerSecond = 400
/** Enough for as long as refusals are held back. */
const probeConnections = 400

export type OverloadOptions = Readonly<{ crowd: number; seconds: number }>

/** Finds what the server sustains, offers half of it, ten times as much, and half again at once. */
export async function overload(what: string, peer: EdgePeer, request: string, { crowd, seconds }: OverloadOptions): Promise<Overload> {
  const { child } = peer
  const { port } = child
  const closed = { port, request, perSecond: null, connections }
  await arrivalsApart({ ...closed, seconds: 2 })
  const { acceptedPerSecond: sustainable, failures } = await arrivalsApart({ ...closed, seconds: sustainSeconds })
  if (failures > 0) throw new Error(`${what} failed ${failures} requests that it should sustain`)
  progress(`  ${what}: ${Math.round(sustainable)}/s sustained`)
  await untilIdle(child)
  const phases: Phase[] = []
  const offer = async (phase: string, times: number, callers: number, forSeconds: number): Promise<void> => {
    const offered = sustainable * times
    const [startedAt, spentMs] = [performance.now(), child.cpuMs()]
    const [figures, probe] = await Promise.all([
      arrivalsApart({ port, request, perSecond: offered, connections: callers, addresses: 16, seconds: forSeconds }),
      arrivals({ port, request, perSecond: probesPerSecond, connections: probeConnections, seconds: forSeconds }),
    ])
    const cpuShare = (child.cpuMs() - spentMs) / (performance.now() - startedAt)
    progress(`  ${what} ${phase}: ${Math.round(figures.acceptedPerSecond)}/s of ${Math.round(offered)}/s, p99 ${probe.p99Ms.toFixed(1)} ms`)
    phases.push({ phase, offered, crowd: figures, probe, cpuShare })
  }
  const before = await rssMiB(child)
  await offer(phaseNames.normal, 0.5, ordinaryCrowd, seconds / 2)
  await offer(phaseNames.overload, 10, crowd, seconds)
  await offer(phaseNames.after, 0.5, ordinaryCrowd, seconds / 4)
  await untilIdle(child)
  return { what, sustainable, phases, rssMiB: [before, await rssMiB(child)] }
}

/** As the kernel sees it; also shows that the process lives. */
async function rssMiB({ pid, url }: EdgePeer['child']): Promise<number> {
  const { status } = await fetch(`${url}/health/live`)
  if (status !== 200) throw new Error(`the server says that it is not alive: ${status}`)
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
