import type { LoadLimits } from '@cbp/core'
import type { Traffic } from './endpoint.ts'
import { heldRefusals } from './held-refusals.ts'
import { type Leave, places } from './places.ts'
import { type Turns, turnsOfEventLoop } from './turns.ts'

/** Why a request was not taken on. */
export type ShedReason = 'late' | 'queue-full' | 'queue-time' | 'streams'

export type LoadCounts = Readonly<{
  inFlight: number
  queued: number
  streams: number
  held: number
  shed: Readonly<Record<ShedReason, number>>
}>

/** Takes on as much as an instance can do in good time, and refuses the rest early: rate limits bound each caller, this bounds all of them. */
export interface LoadGate {
  /** `null`: it is not taken on. At once, except where it has to wait for a place. */
  enter(traffic: Traffic, route: object): Leave | null | Promise<Leave | null>
  /** Resolves when a refusal should be sent; `null`: now. */
  hold(): Promise<void> | null
  counts(): LoadCounts
}

export type LoadGateOptions = Readonly<{
  /** As they are now; asked for each request, so they must be at hand. */
  limits: () => LoadLimits
  turns?: Turns
  /** Monotonic, in milliseconds. */
  now?: () => number
  fraction?: () => number
}>

/** Webhooks are refused later than others: whoever sends them has to come again for each. */
const webhookPatience = 4

const nothingToLeave: Leave = () => {}

export function loadGate(options: LoadGateOptions): LoadGate {
  const { limits, turns = turnsOfEventLoop(), now = () => performance.now(), fraction = Math.random } = options
  const requests = places(limits, now)
  const refusals = heldRefusals(now, fraction)
  const shed: Record<ShedReason, number> = { late: 0, 'queue-full': 0, 'queue-time': 0, streams: 0 }
  const open = { webhook: 0, stream: 0 }

  const refuse = (reason: ShedReason): null => {
    shed[reason] += 1
    return null
  }
  const isLate = (patience: number): boolean => turns.isLate(limits().turnMs, patience)
  const occupy = (traffic: 'webhook' | 'stream'): Leave => {
    open[traffic] += 1
    return () => {
      open[traffic] -= 1
    }
  }
  const enterRequest = (route: object): Leave | null | Promise<Leave | null> => {
    if (isLate(1)) return refuse('late')
    const place = requests.enter(route)
    if (place instanceof Promise) return place.then((settled) => (settled === 'queue-time' ? refuse(settled) : settled))
    return place === 'queue-full' ? refuse(place) : place
  }
  return {
    enter: (traffic, route) => {
      switch (traffic) {
        case 'request':
          return enterRequest(route)
        case 'webhook':
          if (isLate(webhookPatience)) return refuse('late')
          return open.webhook < limits().inFlight ? occupy(traffic) : refuse('queue-full')
        case 'stream':
          return open.stream < limits().streams ? occupy(traffic) : refuse('streams')
        case 'probe':
          return nothingToLeave
      }
    },
    hold: refusals.hold,
    counts: () => ({ ...requests.counts(), streams: open.stream, held: refusals.count(), shed }),
  }
}
