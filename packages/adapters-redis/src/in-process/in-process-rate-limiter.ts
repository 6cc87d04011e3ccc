import {
  type Clock,
  fullerOf,
  giveBack,
  isOver,
  type RateLimitDecision,
  type RateLimiter,
  type RateLimitRequest,
  type RateWindow,
  type Taken,
  takeFrom,
} from '@cbp/core'
import { LRUCache } from 'lru-cache'

export type InProcessRateLimiterOptions = Readonly<{
  /** How many partitions are counted each for itself, and how many crowds those beyond share; about 300 bytes each. */
  capacity: number
  /** Best one that is never set back, because time that goes back stands still here until it has caught up. */
  clock: Pick<Clock, 'now'>
}>

export interface InProcessRateLimiter extends RateLimiter {
  /** The same as `take`, at once; `undo` gives back what an admitted request took. */
  takeNow(request: RateLimitRequest): Readonly<{ decision: RateLimitDecision; undo: () => void }>
}

type Counted = { window: RateWindow; windowSeconds: number }

/**
 * Rate limits of this process alone, in bounded memory. Beyond its capacity it stops counting the partition that was not
 * asked for the longest time apart, and folds what it had taken into its crowd. Who is not counted apart begins with the
 * counts of its crowd: never with less than it took itself, so that L19 holds whatever is forgotten. As there are as many
 * crowds as places, strangers are refused for the crowd's sake only when about limit times capacity was taken at once.
 */
export function inProcessRateLimiter({ capacity, clock }: InProcessRateLimiterOptions): InProcessRateLimiter {
  const crowd = new Map<string, Counted>()
  let sweepAt = 2 * capacity
  let latest = 0

  const crowdOf = (name: string, windowSeconds: number): string => `${windowSeconds} ${hash(name) % capacity}`

  const partitions = new LRUCache<string, Counted>({
    max: capacity,
    dispose: ({ window, windowSeconds }, name, reason) => {
      if (reason !== 'evict' || isOver(window, windowSeconds, latest)) return
      const of = crowdOf(name, windowSeconds)
      const before = crowd.get(of)
      crowd.set(of, { windowSeconds, window: before === undefined ? window : fullerOf(before.window, window) })
      if (crowd.size <= sweepAt) return
      dropWhatIsOver(crowd, latest)
      // Doubled, so that sweeping stays cheap whatever it finds.
      sweepAt = 2 * Math.max(capacity, crowd.size)
    },
  })

  const nameOf = ({ partition, windowSeconds }: RateLimitRequest): string => `${windowSeconds} ${partition}`

  const decide = (name: string, request: RateLimitRequest): Taken => {
    const { windowSeconds } = request
    latest = Math.max(latest, clock.now())
    const counted = partitions.get(name)
    const before = counted ?? crowd.get(crowdOf(name, windowSeconds))
    const taken = takeFrom(before === undefined ? null : before.window, request, latest)
    if (counted === undefined) partitions.set(name, { window: taken.window, windowSeconds })
    else counted.window = taken.window
    return taken
  }

  const takeNow: InProcessRateLimiter['takeNow'] = (request) => {
    const name = nameOf(request)
    const { decision, bucket } = decide(name, request)
    const undo = (): void => {
      const now = partitions.peek(name)
      if (now !== undefined && decision.allowed) now.window = giveBack(now.window, bucket, request.cost)
    }
    return { decision, undo }
  }

  return { takeNow, take: (request) => decide(nameOf(request), request).decision }
}

/** FNV-1a. */
function hash(text: string): number {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  return state >>> 0
}

function dropWhatIsOver(crowd: Map<string, Counted>, now: number): void {
  for (const [name, { window, windowSeconds }] of crowd) {
    if (isOver(window, windowSeconds, now)) crowd.delete(name)
  }
}
