export type { RateLimiter } from './ports/rate-limiter.ts'
export type { RateLimitDecision, RateLimitRequest, RateWindow, Taken } from './rate-limit.ts'
export { bucketMs, fullerOf, giveBack, isOver, rateWindowBuckets, takeFrom } from './rate-limit.ts'
