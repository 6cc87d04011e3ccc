import { fakeClock } from '../../kernel/testing/fake-clock.ts'
import { fakeRateLimiter } from './fake-rate-limiter.ts'
import { rateLimiterContract } from './rate-limiter.contract.ts'

rateLimiterContract(async () => {
  const clock = fakeClock()
  return { limiter: fakeRateLimiter(clock), clock }
})
