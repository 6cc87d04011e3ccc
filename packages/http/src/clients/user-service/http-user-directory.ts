import type { Clock, DirectoryUser, Log, Random, UserDirectory, UserDirectoryUnavailable } from '@cbp/core'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { Pool } from 'undici'
import { type Answer, exchange, type Unanswered } from '../payment-service/exchange.ts'
import { type BreakerState, type CallOutcome, openPatience, type PatienceLimits } from '../payment-service/patience.ts'
import { parseUser, pathOf } from './wire.ts'

export type UserServiceLimits = PatienceLimits &
  Readonly<{
    /** Of a call: waiting for its turn, all tries and the pauses between them. */
    findTimeoutMs: number
    tries: number
    answerLimitBytes: number
  }>

export type HttpUserDirectoryOptions = Readonly<{
  /** Where the interface of docs/user-service.openapi.json begins; may have a path. */
  url: string
  /** Asked for each call, so that it may change; sent as a Bearer token. */
  token?: () => string | null
  clock: Clock
  random: Random
  log: Log
  limits?: Partial<UserServiceLimits>
}>

export type HttpUserDirectory = UserDirectory & Readonly<{ close(): Promise<void>; state(): BreakerState }>

/** Somebody waits for the answer with a request of their own: rather soon none than late one. */
const defaultLimits: UserServiceLimits = {
  tryTimeoutMs: 1500,
  findTimeoutMs: 3000,
  tries: 2,
  backoffBaseMs: 100,
  backoffCapMs: 500,
  concurrency: 32,
  queue: 256,
  breakerFailures: 5,
  breakerOpenMs: 5000,
  answerLimitBytes: 16 * 1024,
}

/**
 * The User Service over HTTP. Asking is idempotent and done again after lost connections, time-outs, 429, 502, 503 and 504.
 * 404 is the answer that there is no such user; whatever else does not fit the interface is none.
 */
export function httpUserDirectory(options: HttpUserDirectoryOptions): HttpUserDirectory {
  const { clock, log, token = () => null } = options
  const limits = { ...defaultLimits, ...options.limits }
  const base = new URL(options.url)
  const prefix = base.pathname.replace(/\/+$/, '')
  const patience = openPatience({ ...options, limits, service: 'the User Service' })
  const pool = new Pool(base.origin, {
    connections: limits.concurrency,
    // The deadline of a try covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
    // Stated because the environment can weaken both.
    connect: { timeout: limits.tryTimeoutMs, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
  })
  let closed = false

  async function call(path: string): Promise<CallOutcome> {
    const secret = token()
    const authorization = secret === null ? {} : { authorization: `Bearer ${secret}` }
    const headers = { accept: 'application/json, application/problem+json', ...authorization }
    const request = { method: 'GET' as const, path: `${prefix}${path}`, headers, body: null }
    const bounds = { tries: limits.tries, end: clock.now() + limits.findTimeoutMs }
    return patience.call((timeoutMs, cancel) => exchange(pool, clock, request, { ...limits, timeoutMs }, cancel), bounds)
  }

  async function find(userId: string): Promise<Result<DirectoryUser | null, UserDirectoryUnavailable>> {
    const path = pathOf(userId)
    if (path === null) return ok(null)
    if (closed) return err({ kind: 'user-directory-unavailable', reason: 'the client is closed' })
    const { result, tries } = await call(path)
    if (result.kind === 'answer' && result.status === 404) return ok(null)
    const user = result.kind === 'answer' && result.status === 200 ? parseUser(result.body, userId) : null
    return user === null ? err(unavailable(log, result, tries)) : ok(user)
  }

  return {
    find: (userId) => new ResultAsync(find(userId)),
    state: patience.state,
    close: async () => {
      closed = true
      if (!pool.destroyed) await pool.destroy()
    },
  }
}

/** Never names the user. */
function unavailable(log: Log, result: Answer | Unanswered, tries: number): UserDirectoryUnavailable {
  const status = result.kind === 'answer' ? result.status : null
  const reason = reasonOf(result)
  log.write(isMisconfigured(result) ? 'error' : 'warn', 'the User Service did not serve a call', { reason, status, tries })
  return { kind: 'user-directory-unavailable', reason }
}

function reasonOf(result: Answer | Unanswered): string {
  if (result.kind === 'unanswered') return result.reason
  if (result.status === 200) return 'its answer does not fit the agreed interface'
  if (isMisconfigured(result)) return `it answered ${result.status}; check its address and token`
  return `it answered ${result.status}`
}

/** Waiting does not help; somebody has to look. */
function isMisconfigured(result: Answer | Unanswered): boolean {
  return result.kind === 'answer' && [200, 301, 302, 307, 308, 401, 403, 405].includes(result.status)
}
