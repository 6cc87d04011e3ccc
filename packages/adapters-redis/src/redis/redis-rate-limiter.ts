import { bucketMs, type RateLimitDecision, type RateLimitRequest } from '@cbp/core'
import { away, type RedisConnection } from './redis-connection.ts'

/** Rate limits that all instances share; `null` while Redis is away. */
export interface SharedRateLimiter {
  take(request: RateLimitRequest): Promise<RateLimitDecision | null>
}

/** One script call on the server's time for each decision. */
export function redisRateLimiter(connection: RedisConnection, namespace = 'cbp'): SharedRateLimiter {
  return {
    async take({ partition, limit, windowSeconds, cost }) {
      const key = `${namespace}:rate1:{${partition}}:${windowSeconds}`
      const answer = await connection.script('takeRate', key, [limit, cost, bucketMs(windowSeconds)])
      if (answer === away || !Array.isArray(answer)) return null
      const [allowed, used, resetMs, retryAfterMs] = answer as readonly number[]
      if (allowed === undefined || used === undefined || resetMs === undefined || retryAfterMs === undefined) return null
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
