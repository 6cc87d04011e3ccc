import type { Clock } from '../../kernel/clock.ts'
import type { RateLimiter } from '../ports/rate-limiter.ts'
import { rateLimiterModel } from './rate-limiter.model.ts'

/** Remembers everything that it ever admitted. */
export function fakeRateLimiter(clock: Pick<Clock, 'now'>): RateLimiter {
  const model = rateLimiterModel()
  let latest = 0
  return {
    take(request) {
      latest = Math.max(latest, clock.now())
      const decision = model.decide(request, latest)
      if (decision.allowed) model.admit(request, latest)
      return decision
    },
  }
}
