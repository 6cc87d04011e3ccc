import type { RateLimitDecision, RateLimitRequest } from '../rate-limit.ts'

/**
 * Port: how much a partition may still ask for.
 *
 * - L19: no window of `windowSeconds` admits more than `limit` to one partition, also when takes race, and also when the
 *   clock is set back.
 * - Each decision is one atomic step. A refused request takes nothing.
 * - It fails soft: one that shares its counts with other instances and loses them counts by itself, which admits at most
 *   the limit to each instance.
 */
export interface RateLimiter {
  /** Answers at once where nobody else has to be asked. */
  take(request: RateLimitRequest): RateLimitDecision | Promise<RateLimitDecision>
}
