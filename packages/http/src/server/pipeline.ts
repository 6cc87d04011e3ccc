import type { Log } from '@cbp/core'
import { type Problem, problem, problemStatus, problemText } from '../problems/problem.ts'
import type { Answer, StreamedAnswer } from './answer.ts'
import type { RequestDeadlines } from './deadline.ts'
import type { Endpoint, Outcome } from './endpoint.ts'
import type { Exchange } from './exchange.ts'
import type { Guard, IdentityOrRefusal } from './guard.ts'
import type { LoadGate } from './load-gate.ts'
import type { OpenStreams } from './open-streams.ts'
import type { RateLimits } from './rate-limits.ts'
import type { SecureHeaders } from './secure-headers.ts'

/** What is told about each request when it has been answered. */
export type RequestRecord = Readonly<{
  method: string
  path: string
  /** The template of the path, or `unmatched`. */
  route: string
  status: number
  durationMs: number
  bytes: number
  requestId: string
  traceparent: string | null
  client: string | null
  /** It was the first answer to an Idempotency-Key again. */
  replayed: boolean
  /** It was not taken on, because this instance had too much to do. */
  shed: boolean
}>

export type PipelineDependencies = Readonly<{
  guard: Guard
  limits: RateLimits
  gate: LoadGate
  streams: OpenStreams
  log: Log
  /** On every answer. */
  secureHeaders: SecureHeaders
  deadlines: RequestDeadlines
  /** Replaces the deadlines of the endpoints; `null` keeps them. */
  deadlineMs: number | null
  isStopping: () => boolean
  onAnswered: (record: RequestRecord) => void
}>

/** An answer with all of its header fields, ready to be written. */
export type Finished = Answer | (StreamedAnswer & Readonly<{ headers: Readonly<Record<string, string>> }>)

export type Pipeline = Readonly<{
  run: (endpoint: Endpoint, exchange: Exchange) => Promise<Finished>
  /** Answers a request that no endpoint takes. */
  refuse: (refusal: Problem | Answer, exchange: Exchange) => Promise<Answer>
}>

const problemHeaders: Readonly<Record<string, string>> = {
  'content-type': 'application/problem+json',
  'cache-control': 'private, no-store',
  vary: 'Authorization, Accept-Encoding',
}

/** What happens to every request around its endpoint: load, limits, access, deadline, defects, header fields, log and metrics. */
export function pipeline(deps: PipelineDependencies): Pipeline {
  return {
    run: async (endpoint, exchange) => {
      const startedAt = performance.now()
      const entered = deps.gate.enter(endpoint.traffic, endpoint)
      const leave = entered instanceof Promise ? await entered : entered
      if (leave === null) return shed(deps, endpoint, exchange, startedAt)
      const outcome = await answer(deps, endpoint, exchange)
      if ('code' in outcome) deps.guard.noteRefusal(exchange, outcome.code, endpoint)
      const finished = finish(deps, outcome, exchange)
      if (!('run' in finished)) {
        leave()
        deps.onAnswered(recordOf(endpoint.path, exchange, finished, startedAt))
        return finished
      }
      // A stream may stay for hours: nothing of the request but these few words is kept for its end.
      const opened = recordOf(endpoint.path, exchange, { ...finished, body: null, length: 0 }, startedAt)
      const forget = deps.streams.admit(exchange)
      const end = (): void => {
        forget()
        leave()
        deps.onAnswered({ ...opened, durationMs: performance.now() - startedAt })
      }
      return { ...finished, run: (outgoing, headers) => follow(deps, finished.run(outgoing, headers), opened, end) }
    },
    refuse: async (refusal, exchange) => {
      const startedAt = performance.now()
      const finished = finish(deps, (await deps.limits.ofAddress(exchange)) ?? refusal, exchange) as Answer
      deps.onAnswered(recordOf('unmatched', exchange, finished, startedAt))
      return finished
    },
  }
}

const overloaded: Problem = problem('overloaded', 'This instance has too much to do at the moment; nothing was done.', {
  headers: { 'retry-after': '1' },
})

async function shed({ gate, ...deps }: PipelineDependencies, endpoint: Endpoint, exchange: Exchange, startedAt: number): Promise<Answer> {
  await gate.hold()
  const finished = finish(deps, overloaded, exchange) as Answer
  deps.onAnswered({ ...recordOf(endpoint.path, exchange, finished, startedAt), shed: true })
  return finished
}

function follow(deps: PipelineDependencies, stream: Promise<void>, { requestId, route }: RequestRecord, end: () => void): Promise<void> {
  return stream.catch((defect: unknown) => logDefect(deps.log, requestId, route, defect)).then(end)
}

function logDefect(log: Log, requestId: string, route: string, defect: unknown): void {
  const error = defect instanceof Error ? (defect.stack ?? defect.message) : String(defect)
  log.write('error', 'a request failed by a defect', { requestId, route, error })
}

async function answer(deps: PipelineDependencies, endpoint: Endpoint, exchange: Exchange): Promise<Outcome> {
  try {
    const admitted = admit(deps, endpoint, exchange)
    const refusal = admitted instanceof Promise ? await admitted : admitted
    if (refusal !== null) return refusal
    const { deadlineMs } = endpoint
    if (deadlineMs === null) return await endpoint.run(exchange)
    return await deps.deadlines.within(endpoint.run(exchange), deps.deadlineMs ?? deadlineMs, () => {
      deps.log.write('warn', 'a request missed its deadline', { requestId: exchange.requestId, route: endpoint.path })
      return problem('deadline-exceeded', lateness(endpoint), { headers: { 'retry-after': '1' } })
    })
  } catch (defect) {
    logDefect(deps.log, exchange.requestId, endpoint.path, defect)
    return problem('internal-error', 'The request failed by a defect of the service.')
  }
}

type Admitted = Problem | null | Promise<Problem | null>

/**
 * Finds out who calls, and whether they may and have not called too often; `null` when the endpoint may run. At once where
 * nobody else has to be asked: a promise for each step would cost as much as the steps.
 */
function admit(deps: PipelineDependencies, endpoint: Endpoint, exchange: Exchange): Admitted {
  const counted = isCounted(endpoint) ? deps.limits.ofAddress(exchange) : null
  if (counted instanceof Promise) return counted.then((refusal) => refusal ?? identify(deps, endpoint, exchange))
  return counted ?? identify(deps, endpoint, exchange)
}

function isCounted({ traffic }: Endpoint): boolean {
  return traffic === 'request' || traffic === 'stream'
}

function identify(deps: PipelineDependencies, endpoint: Endpoint, exchange: Exchange): Admitted {
  if (endpoint.permission === null) return null
  const identity = deps.guard.authenticate(exchange, endpoint.permission)
  if (identity instanceof Promise) return identity.then((settled) => accept(deps, endpoint, exchange, settled))
  return accept(deps, endpoint, exchange, identity)
}

function accept({ limits, guard }: PipelineDependencies, endpoint: Endpoint, exchange: Exchange, identity: IdentityOrRefusal): Admitted {
  const { permission } = endpoint
  if (identity === null || permission === null) return null
  if ('code' in identity) return identity
  exchange.identity = identity
  const counted = isCounted(endpoint) ? limits.ofClient(exchange, identity.client) : null
  if (counted instanceof Promise) return counted.then((refusal) => refusal ?? guard.authorize(permission, identity))
  return counted ?? guard.authorize(permission, identity)
}

function lateness({ method }: Endpoint): string {
  const late = 'The answer was not ready in time.'
  return method === 'get' ? late : `${late} Whether the write was made is unknown: look before you send it again.`
}

function finish(
  deps: Pick<PipelineDependencies, 'isStopping' | 'limits' | 'secureHeaders'>,
  outcome: Outcome,
  exchange: Exchange,
): Finished {
  const extra = deps.isStopping() ? { connection: 'close' } : null
  const { rateLimit } = exchange
  const limits = rateLimit === null ? null : { 'ratelimit-policy': deps.limits.policy(), ratelimit: rateLimit }
  if ('code' in outcome) {
    const body = problemText(outcome, exchange.path, exchange.requestId)
    const length = Buffer.byteLength(body)
    const headers = {
      ...deps.secureHeaders,
      ...problemHeaders,
      'content-length': String(length),
      ...outcome.headers,
      ...limits,
      'x-request-id': exchange.requestId,
      ...extra,
    }
    return { status: problemStatus(outcome), headers, body, length }
  }
  if ('run' in outcome) {
    return { ...outcome, headers: { ...deps.secureHeaders, ...limits, 'x-request-id': exchange.requestId } }
  }
  const { status, headers, body, length } = outcome
  const size = body === null ? null : { 'content-length': String(length) }
  return {
    status,
    headers: { ...deps.secureHeaders, ...headers, ...size, ...limits, 'x-request-id': exchange.requestId, ...extra },
    body,
    length,
  }
}

function recordOf(route: string, exchange: Exchange, { status, length, headers }: Answer, startedAt: number): RequestRecord {
  return {
    method: exchange.method,
    path: exchange.path,
    route,
    status,
    durationMs: performance.now() - startedAt,
    bytes: exchange.method === 'HEAD' ? 0 : length,
    requestId: exchange.requestId,
    traceparent: exchange.traceparent,
    client: exchange.identity?.client ?? null,
    replayed: headers['idempotency-replayed'] === 'true',
    shed: false,
  }
}
