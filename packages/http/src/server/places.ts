import type { LoadLimits } from '@cbp/core'
import { sweeper } from './sweeper.ts'

/** To be called once when the work is done. */
export type Leave = () => void

/** A bounded number of places for requests in work, and a short queue before them. */
export interface Places {
  /** A place, at once or after a while; `queue-full` at once, or `queue-time` when none came free in time. */
  enter(route: object): Leave | 'queue-full' | Promise<Leave | 'queue-time'>
  counts(): Readonly<{ inFlight: number; queued: number }>
}

type Waiting = Readonly<{ route: object; since: number; settle: (leave: Leave | 'queue-time') => void }>

const sweepEveryMs = 10

export function places(limits: () => LoadLimits, now: () => number): Places {
  const busy = new Map<object, number>()
  const waiting: Waiting[] = []
  let inFlight = 0

  // No route takes them all, so that one slow system behind one route does not stop the others.
  const isFree = (route: object): boolean => {
    const { inFlight: limit } = limits()
    return inFlight < limit && (busy.get(route) ?? 0) < limit / 2
  }
  const occupy = (route: object): Leave => {
    inFlight += 1
    busy.set(route, (busy.get(route) ?? 0) + 1)
    return () => {
      inFlight -= 1
      busy.set(route, (busy.get(route) ?? 1) - 1)
      if (waiting.length > 0) admitNext()
    }
  }
  /** The newest first: whoever has waited longest is the likeliest to have gone. */
  const admitNext = (): void => {
    const index = waiting.findLastIndex(({ route }) => isFree(route))
    const [next] = index === -1 ? [] : waiting.splice(index, 1)
    next?.settle(occupy(next.route))
  }
  const startSweeping = sweeper(sweepEveryMs, () => {
    const since = now() - limits().queueMs
    while (waiting[0] !== undefined && waiting[0].since <= since) waiting.shift()?.settle('queue-time')
    return waiting.length > 0
  })
  return {
    enter: (route) => {
      if (isFree(route)) return occupy(route)
      if (waiting.length >= limits().queued) return 'queue-full'
      startSweeping()
      return new Promise((settle) => waiting.push({ route, since: now(), settle }))
    },
    counts: () => ({ inFlight, queued: waiting.length }),
  }
}
