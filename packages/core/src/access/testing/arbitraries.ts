import fc from 'fast-check'
import { anyText } from '../../kernel/testing/arbitraries.ts'
import type { RateLimitRequest } from '../rate-limit.ts'

export const anyRateLimitRequest: fc.Arbitrary<RateLimitRequest> = fc.record({
  partition: anyText,
  limit: fc.integer({ min: 1, max: 1000 }),
  windowSeconds: fc.constantFrom(1, 60, 900, 86_400),
  cost: fc.constantFrom(1, 1, 1, 2, 7),
})
