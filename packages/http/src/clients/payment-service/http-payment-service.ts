import type {
  Clock,
  Instruction,
  InstructionRefused,
  Log,
  PaymentService,
  PaymentServiceUnavailable,
  Random,
  RemotePayment,
  Uuid,
} from '@cbp/core'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { Pool } from 'undici'
import { type Answer, exchange, type Request, type Unanswered } from './exchange.ts'
import { type BreakerState, type CallBounds, type CallOutcome, openPatience, type PatienceLimits } from './patience.ts'
import { parseAttempt, parseProblem, problemCodes, toInstructionBody } from './wire.ts'

export type PaymentServiceLimits = PatienceLimits &
  Readonly<{
    /** Of a call: waiting for its turn, all tries and the pauses between them. */
    instructTimeoutMs: number
    findTimeoutMs: number
    tries: number
    answerLimitBytes: number
  }>

export type HttpPaymentServiceOptions = Readonly<{
  /** Where the interface of docs/payment-service.openapi.json begins; may have a path. */
  url: string
  /** Asked for each call, so that it may change; sent as a Bearer token. */
  token?: () => string | null
  headers?: Readonly<Record<string, string>>
  clock: Clock
  random: Random
  log: Log
  limits?: Partial<PaymentServiceLimits>
}>

export type HttpPaymentService = PaymentService & Readonly<{ close(): Promise<void>; state(): BreakerState }>

const defaultLimits: PaymentServiceLimits = {
  tryTimeoutMs: 4000,
  // Below the 15 s and 10 s after which core stops listening.
  instructTimeoutMs: 12_000,
  findTimeoutMs: 8000,
  tries: 3,
  backoffBaseMs: 200,
  backoffCapMs: 2000,
  concurrency: 32,
  queue: 64,
  breakerFailures: 5,
  breakerOpenMs: 5000,
  answerLimitBytes: 64 * 1024,
}

const reasonLimit = 300
/** Shorter ones are in too many words to be cut out of them. */
const shortestRedacted = 3

type Operation = Readonly<{ operation: 'instruct' | 'find'; attemptId: Uuid }>

/**
 * The Payment Service over HTTP. Both calls are idempotent and tried again after lost connections, time-outs, 429, 502, 503
 * and 504. Only an agreed problem code is believed to be a refusal or an unknown attempt, because proxies, gateways and
 * wrong addresses answer 400, 404 and 422 too.
 */
export function httpPaymentService(options: HttpPaymentServiceOptions): HttpPaymentService {
  const { clock, log } = options
  const limits = { ...defaultLimits, ...options.limits }
  const { call, state, close } = openCalls(options, limits)

  /** From `notAfter` on nothing begins any more: it is asked once, and the Payment Service tells what holds. */
  function boundsOf({ notAfter }: Instruction): CallBounds {
    const now = clock.now()
    const end = now + limits.instructTimeoutMs
    return now < notAfter ? { tries: limits.tries, end: Math.min(end, notAfter) } : { tries: 1, end }
  }

  async function instruct(given: Instruction): Promise<Result<RemotePayment, InstructionRefused | PaymentServiceUnavailable>> {
    const { attemptId, traceparent } = given
    const by: Operation = { operation: 'instruct', attemptId }
    const outcome = await call(
      { method: 'PUT', path: `/attempts/${attemptId}`, body: JSON.stringify(toInstructionBody(given)) },
      { 'content-type': 'application/json', 'idempotency-key': attemptId, ...(traceparent === null ? {} : { traceparent }) },
      boundsOf(given),
    )
    const { result } = outcome
    if (result.kind === 'unanswered') return err(unavailable(log, by, outcome))
    if (result.status === 200 || result.status === 202) {
      const held = parseAttempt(result.body, attemptId)
      return held !== null && held.paymentId === given.paymentId ? ok(held) : err(unavailable(log, by, outcome, misfit))
    }
    const refusal = refusalOf(result, given)
    return err(refusal ?? unavailable(log, by, outcome))
  }

  async function find(attemptId: Uuid): Promise<Result<RemotePayment | null, PaymentServiceUnavailable>> {
    const by: Operation = { operation: 'find', attemptId }
    const bounds = { tries: limits.tries, end: clock.now() + limits.findTimeoutMs }
    const outcome = await call({ method: 'GET', path: `/attempts/${attemptId}`, body: null }, {}, bounds)
    const { result } = outcome
    if (result.kind === 'unanswered') return err(unavailable(log, by, outcome))
    if (result.status === 404 && parseProblem(result.body)?.code === problemCodes.unknownAttempt) return ok(null)
    if (result.status !== 200) return err(unavailable(log, by, outcome))
    const held = parseAttempt(result.body, attemptId)
    return held === null ? err(unavailable(log, by, outcome, misfit)) : ok(held)
  }

  return {
    instruct: (given) => new ResultAsync(instruct(given)),
    find: (attemptId) => new ResultAsync(find(attemptId)),
    state,
    close,
  }
}

type Calls = Readonly<{
  call(request: Omit<Request, 'headers'>, headers: Readonly<Record<string, string>>, bounds: CallBounds): Promise<CallOutcome>
  state(): BreakerState
  /** What is under way comes to its end first. */
  close(): Promise<void>
}>

function openCalls({ url, token = () => null, headers = {}, ...options }: HttpPaymentServiceOptions, limits: PaymentServiceLimits): Calls {
  const base = new URL(url)
  const prefix = base.pathname.replace(/\/+$/, '')
  const patience = openPatience({ ...options, limits, service: 'the Payment Service' })
  const pool = new Pool(base.origin, {
    connections: limits.concurrency,
    // The deadline of a try covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
    // Stated because the environment can weaken both.
    connect: { timeout: limits.tryTimeoutMs, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
  })
  const underWay = new Set<Promise<CallOutcome>>()
  let closed = false

  return {
    async call(request, more, bounds) {
      if (closed) return clientClosed
      const secret = token()
      const complete: Request = {
        ...request,
        path: `${prefix}${request.path}`,
        headers: {
          accept: 'application/json, application/problem+json',
          ...headers,
          ...more,
          ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
        },
      }
      const calling = patience.call(
        (timeoutMs, cancel) => exchange(pool, options.clock, complete, { ...limits, timeoutMs }, cancel),
        bounds,
      )
      underWay.add(calling)
      try {
        return await calling
      } finally {
        underWay.delete(calling)
      }
    },
    state: patience.state,
    async close() {
      closed = true
      await Promise.allSettled(underWay)
      if (!pool.destroyed) await pool.destroy()
    },
  }
}

const clientClosed: CallOutcome = {
  result: { kind: 'unanswered', sent: false, cause: 'not-tried', reason: 'the client is closed' },
  tries: 0,
  sent: false,
}

const misfit = 'its answer does not fit the agreed interface'

function unavailable(log: Log, by: Operation, { result, tries, sent }: CallOutcome, reason = reasonOf(result)): PaymentServiceUnavailable {
  const status = result.kind === 'answer' ? result.status : null
  const level = isMisconfigured(result) ? 'error' : 'warn'
  log.write(level, 'the Payment Service did not serve a call', { ...by, reason, status, tries, sent })
  return { kind: 'payment-service-unavailable', sent, reason }
}

/** The Payment Service will never carry out this attempt, and says so in the agreed words. */
function refusalOf({ status, body }: Answer, instruction: Instruction): InstructionRefused | null {
  if (status !== 400 && status !== 422) return null
  const problem = parseProblem(body)
  if (problem === null) return null
  if (problem.code === problemCodes.expired) return { kind: 'instruction-refused', reason: 'the attempt came too late to begin' }
  if (problem.code !== problemCodes.refused) return null
  const detail = problem.detail === undefined ? '' : withoutPersonalData(problem.detail, instruction)
  return { kind: 'instruction-refused', reason: detail === '' ? 'the Payment Service refused the payment' : detail }
}

/** Details are written by others, and may repeat what they were sent. */
function withoutPersonalData(detail: string, { payee, userId, metadata }: Instruction): string {
  const personal = [payee.name, payee.id, userId, ...Object.values(metadata)].filter((text) => text.length >= shortestRedacted)
  const redacted = personal.reduce((text, each) => text.replaceAll(each, '…'), detail)
  return redacted
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, reasonLimit)
}

function reasonOf(result: Answer | Unanswered): string {
  if (result.kind === 'unanswered') return result.reason
  if (isMisconfigured(result)) return `it answered ${result.status}; check its address and token`
  return `it answered ${result.status}`
}

/** Waiting does not help; somebody has to look. */
function isMisconfigured(result: Answer | Unanswered): boolean {
  return result.kind === 'answer' && [301, 302, 307, 308, 401, 403, 404, 405].includes(result.status)
}
