import type { Instant } from '../../kernel/clock.ts'
import type { RateLimitDecision, RateLimitRequest } from '../rate-limit.ts'

type Admitted = Readonly<{ at: Instant; partition: string; windowSeconds: number; cost: number }>

/** The law in its plainest form: a log of all that was admitted, searched each time. Nothing is ever forgotten. */
export type RateLimiterModel = Readonly<{
  decide(request: RateLimitRequest, now: Instant): RateLimitDecision
  admit(request: RateLimitRequest, now: Instant): void
  /** The most that any window has admitted to the partition. */
  mostAdmitted(partition: string, windowSeconds: number): number
}>

export function rateLimiterModel(): RateLimiterModel {
  const log: Admitted[] = []
  let latest = 0
  const of = (partition: string, windowSeconds: number): readonly Admitted[] =>
    log.filter((each) => each.partition === partition && each.windowSeconds === windowSeconds)
  return {
    decide({ partition, limit, windowSeconds, cost }, now) {
      const width = Math.ceil((windowSeconds * 1000) / 15)
      const endOf = (at: Instant): Instant => (Math.floor(at / width) + 16) * width
      const counted = of(partition, windowSeconds).filter(({ at }) => endOf(at) > now)
      const used = sum(counted)
      const allowed = used + cost <= limit
      const until = (instants: readonly Instant[]): number => Math.ceil((Math.max(now, ...instants) - now) / 1000)
      if (allowed) return { allowed, limit, remaining: limit - used - cost, resetSeconds: until([endOf(now)]), retryAfterSeconds: 0 }
      const ends = counted.map(({ at }) => endOf(at)).toSorted((one, other) => one - other)
      const enough = ends.find((end) => sum(counted.filter(({ at }) => endOf(at) > end)) + cost <= limit)
      const retryAfterSeconds = until([enough ?? endOf(now)])
      return { allowed, limit, remaining: Math.max(0, limit - used), resetSeconds: until(ends), retryAfterSeconds }
    },
    admit({ partition, windowSeconds, cost }, now) {
      latest = Math.max(latest, now)
      log.push({ at: latest, partition, windowSeconds, cost })
    },
    mostAdmitted(partition, windowSeconds) {
      const own = of(partition, windowSeconds)
      return Math.max(0, ...own.map(({ at }) => sum(own.filter((each) => each.at <= at && each.at >= at - windowSeconds * 1000))))
    },
  }
}

function sum(admitted: readonly Admitted[]): number {
  return admitted.reduce((total, { cost }) => total + cost, 0)
}
