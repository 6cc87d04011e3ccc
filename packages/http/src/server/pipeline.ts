import type { Log } from '@cbp/core'
import type { VerifyToken } from '../access/verify-token.ts'
import { type Problem, problem, problemStatus, problemText } from '../problems/problem.ts'
import type { Answer, StreamedAnswer } from './answer.ts'
import type { RequestDeadlines } from './deadline.ts'
import type { Endpoint, Outcome } from './endpoint.ts'
import type { Exchange } from './exchange.ts'
import { authorize } from './guard.ts'
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
}>

export type PipelineDependencies = Readonly<{
  verifyToken: VerifyToken
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
  refuse: (refusal: Problem | Answer, exchange: Exchange) => Answer
}>

const problemHeaders: Readonly<Record<string, string>> = {
  'content-type': 'application/problem+json',
  'cache-control': 'private, no-store',
  vary: 'Authorization, Accept-Encoding',
}

/** What happens to every request around its endpoint: access, deadline, defects, header fields, log and metrics. */
export function pipeline(deps: PipelineDependencies): Pipeline {
  return {
    run: async (endpoint, exchange) => {
      const startedAt = performance.now()
      const outcome = await answer(deps, endpoint, exchange)
      const finished = finish(deps, outcome, exchange)
      if (!('run' in finished)) {
        deps.onAnswered(recordOf(endpoint.path, exchange, finished, startedAt))
        return finished
      }
      // A stream may stay for hours: nothing of the request but these few words is kept for its end.
      const opened = recordOf(endpoint.path, exchange, { ...finished, body: null, length: 0 }, startedAt)
      return { ...finished, run: (outgoing, headers) => follow(deps, finished.run(outgoing, headers), opened, startedAt) }
    },
    refuse: (refusal, exchange) => {
      const finished = finish(deps, refusal, exchange) as Answer
      deps.onAnswered(recordOf('unmatched', exchange, finished, performance.now()))
      return finished
    },
  }
}

function follow(deps: PipelineDependencies, stream: Promise<void>, opened: RequestRecord, startedAt: number): Promise<void> {
  return stream
    .catch((defect: unknown) => logDefect(deps.log, opened.requestId, opened.route, defect))
    .then(() => deps.onAnswered({ ...opened, durationMs: performance.now() - startedAt }))
}

function logDefect(log: Log, requestId: string, route: string, defect: unknown): void {
  const error = defect instanceof Error ? (defect.stack ?? defect.message) : String(defect)
  log.write('error', 'a request failed by a defect', { requestId, route, error })
}

async function answer(deps: PipelineDependencies, endpoint: Endpoint, exchange: Exchange): Promise<Outcome> {
  try {
    const { permission } = endpoint
    if (permission !== null) {
      const access = authorize(deps.verifyToken, exchange.header('authorization'), permission)
      const identity = access instanceof Promise ? await access : access
      if ('code' in identity) return identity
      exchange.identity = identity
    }
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

function lateness({ method }: Endpoint): string {
  const late = 'The answer was not ready in time.'
  return method === 'get' ? late : `${late} Whether the write was made is unknown: look before you send it again.`
}

function finish(deps: PipelineDependencies, outcome: Outcome, exchange: Exchange): Finished {
  const { secureHeaders } = deps
  const extra = deps.isStopping() ? { connection: 'close' } : null
  if ('code' in outcome) {
    const body = problemText(outcome, exchange.path, exchange.requestId)
    const length = Buffer.byteLength(body)
    const headers = {
      ...secureHeaders,
      ...problemHeaders,
      'content-length': String(length),
      ...outcome.headers,
      'x-request-id': exchange.requestId,
      ...extra,
    }
    return { status: problemStatus(outcome), headers, body, length }
  }
  if ('run' in outcome) {
    return { ...outcome, headers: { ...secureHeaders, 'x-request-id': exchange.requestId } }
  }
  const { status, headers, body, length } = outcome
  const size = body === null ? null : { 'content-length': String(length) }
  return { status, headers: { ...secureHeaders, ...headers, ...size, 'x-request-id': exchange.requestId, ...extra }, body, length }
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
  }
}
