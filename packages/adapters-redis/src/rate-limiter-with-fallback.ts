import type { Log, RateLimitDecision, RateLimiter, RateLimitRequest } from '@cbp/core'
import type { InProcessRateLimiter } from './in-process/in-process-rate-limiter.ts'
import type { SharedRateLimiter } from './redis/redis-rate-limiter.ts'

export type FallbackRateLimiterOptions = Readonly<{ shared: SharedRateLimiter; local: InProcessRateLimiter; log: Log }>

export interface FallbackRateLimiter extends RateLimiter {
  /** Whose counts decide: those of all instances, or those of this one alone. What was alone last is tried anew. */
  counting(): Promise<'all-instances' | 'this-instance'>
}

/** Taken of a partition of its own to see whether the shared counts are back. */
const probe: RateLimitRequest = { partition: 'probe', limit: 1_000_000, windowSeconds: 60, cost: 1 }

/**
 * Limits by the shared counts, and by its own at all times. So one instance never admits more than the limit, whatever the
 * shared counts have lost and whenever they come and go: without them at most the limit times the instances (L19). Who has
 * used up the limit at this instance is refused without asking further.
 */
export function rateLimiterWithFallback({ shared, local, log }: FallbackRateLimiterOptions): FallbackRateLimiter {
  let isAlone = false
  const tell = (alone: boolean): void => {
    if (alone === isAlone) return
    isAlone = alone
    if (alone) log.write('warn', 'Rate limits are counted by this instance alone', {})
    else log.write('info', 'Rate limits are counted over all instances again', {})
  }
  const settle = (asked: RateLimitDecision | null, { decision, undo }: ReturnType<InProcessRateLimiter['takeNow']>): RateLimitDecision => {
    tell(asked === null)
    if (asked === null) return decision
    if (!asked.allowed) undo()
    return asked
  }
  return {
    take(request) {
      const own = local.takeNow(request)
      return own.decision.allowed ? shared.take(request).then((asked) => settle(asked, own)) : own.decision
    },
    async counting() {
      // Without it a service that nobody asks would seem alone long after the shared counts have come back.
      if (isAlone) tell((await shared.take(probe)) === null)
      return isAlone ? 'this-instance' : 'all-instances'
    },
  }
}
