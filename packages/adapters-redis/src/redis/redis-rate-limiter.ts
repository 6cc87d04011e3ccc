import { bucketMs, type RateLimitDecision, type RateLimitRequest, rateWindowBuckets } from '@cbp/core'
import { away, type RedisConnection } from './redis-connection.ts'

/** Rate limits that all instances share; `null` while Redis is away. */
export interface SharedRateLimiter {
  take(request: RateLimitRequest): Promise<RateLimitDecision | null>
}

/** One script call on the server's time for each decision. */
export function redisRateLimiter(connection: RedisConnection, namespace = 'cbp'): SharedRateLimiter {
  return {
    async take({ partition, limit, windowSeconds, cost }) {
      const widthMs = bucketMs(windowSeconds)
      const answer = await connection.script('takeRate', `${namespace}:rate2:{${partition}}:${windowSeconds}`, [limit, cost, widthMs])
      if (answer === away || !Array.isArray(answer)) return null
      const [now, taken] = answer as unknown as readonly [number, unknown]
      if (typeof taken === 'number') {
        const resetMs = (Math.floor(now / widthMs) + rateWindowBuckets) * widthMs - now
        return { allowed: true, limit, remaining: limit - taken, resetSeconds: Math.ceil(resetMs / 1000), retryAfterSeconds: 0 }
      }
      if (!Array.isArray(taken)) return null
      const [allowed, used, resetMs, retryAfterMs] = taken as unknown as readonly [number, number, number, number]
      return {
        allowed: allowed === 1,
        limit,
        remaining: Math.max(0, limit - used),
        resetSeconds: Math.ceil(resetMs / 1000),
        retryAfterSeconds: Math.ceil(retryAfterMs / 1000),
      }
    },
  }
}
