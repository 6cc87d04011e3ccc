import type { AuditService, RateLimit, RateLimitDecision, RateLimiter } from '@cbp/core'
import { type Problem, problem } from '../problems/problem.ts'
import type { Exchange } from './exchange.ts'
import type { EdgeSettings } from './live-settings.ts'

/** Whether a request may go on: `null`, or the problem that refuses it. At once where nobody else has to be asked. */
export type Counted = Problem | null | Promise<Problem | null>

export type RateLimitCounts = Readonly<{ perIp: number; perClient: number }>

/** Counts requests by address and by client (L19), and writes what is left to each into its exchange. */
export interface RateLimits {
  /** Before anybody is authenticated. */
  ofAddress(exchange: Exchange): Counted
  /** Once it is known who asks. */
  ofClient(exchange: Exchange, client: string): Counted
  /** The limits, as RateLimit-Policy has them. */
  policy(): string
  /** How many requests were refused so far. */
  refused(): RateLimitCounts
}

export type RateLimitsOptions = Readonly<{ limiter: RateLimiter; settings: () => EdgeSettings; note: AuditService['note'] }>

type PolicyName = 'per-ip' | 'per-client'

/** @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10 */
export function rateLimits({ limiter, settings, note }: RateLimitsOptions): RateLimits {
  const refusals = { perIp: 0, perClient: 0 }
  let policyOf = settings()
  let policy = policyText(policyOf)

  const refuse = (exchange: Exchange, name: PolicyName, partition: string, { retryAfterSeconds, limit }: RateLimitDecision): Problem => {
    refusals[name === 'per-ip' ? 'perIp' : 'perClient'] += 1
    note({ action: 'limit.hit', actor: partition, subject: null, requestId: exchange.requestId, details: { policy: name, limit } })
    return problem('rate-limited', `More than ${limit} requests were made in the time that RateLimit-Policy tells (${name}).`, {
      headers: { 'retry-after': String(Math.max(1, retryAfterSeconds)) },
      members: { 'violated-policies': [name] },
    })
  }
  const settle = (exchange: Exchange, name: PolicyName, partition: string, decision: RateLimitDecision): Problem | null => {
    const left = `"${name}";r=${decision.remaining};t=${decision.resetSeconds}`
    exchange.rateLimit = exchange.rateLimit === null ? left : `${exchange.rateLimit}, ${left}`
    return decision.allowed ? null : refuse(exchange, name, partition, decision)
  }
  const take = (exchange: Exchange, name: PolicyName, partition: string, { limit, windowSeconds }: RateLimit): Counted => {
    const decision = limiter.take({ partition, limit, windowSeconds, cost: 1 })
    if (decision instanceof Promise) return decision.then((settled) => settle(exchange, name, partition, settled))
    return settle(exchange, name, partition, decision)
  }
  return {
    ofAddress: (exchange) => take(exchange, 'per-ip', exchange.address.partition, settings().perIp),
    ofClient: (exchange, client) => take(exchange, 'per-client', `client ${client}`, settings().perClient),
    policy: () => {
      const now = settings()
      if (now !== policyOf) {
        policyOf = now
        policy = policyText(now)
      }
      return policy
    },
    refused: () => refusals,
  }
}

function policyText({ perIp, perClient }: EdgeSettings): string {
  const one = (name: PolicyName, { limit, windowSeconds }: RateLimit): string => `"${name}";q=${limit};w=${windowSeconds}`
  return `${one('per-ip', perIp)}, ${one('per-client', perClient)}`
}
