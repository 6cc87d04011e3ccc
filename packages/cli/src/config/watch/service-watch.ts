import { type Clock, fullJitterMs, type Random, type UnitChanges } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { cursorGone } from '../../output/config-failures.ts'
import type { Failure } from '../../output/failure.ts'
import { exitCodes } from '../../output/failure.ts'
import { addressOf, failureOfReply, headersOf, problemOf, readJson, reasonOf, type Service, unreachable } from '../../remote/service.ts'
import type { Session } from '../../session.ts'
import { inTime } from '../../settle.ts'
import { printUnit } from './change-lines.ts'
import { readEventStream } from './event-stream.ts'
import { tellGone } from './store-watch.ts'
import type { WatchRequest } from './watch.ts'

type Waiting = Readonly<{ clock: Clock; random: Random }>

/** The service is heard every 15 s; two beats may be lost. */
export const silenceMs = 40_000
const connectDeadlineMs = 10_000
const backoff = { baseMs: 500, capMs: 15_000 }
const longestRetryAfterMs = 60_000

/** A watch in progress: what it remembers from one connection to the next. */
type Following = {
  readonly session: Session
  readonly service: Service
  readonly request: WatchRequest
  readonly waiting: Waiting
  /** Everything up to here was shown. */
  cursor: string | null
  /** Whether a connection ever stood: before that, nobody answering is an answer. */
  connected: boolean
  /** Connections in a row that told nothing. */
  failures: number
  /** As the service asked for. */
  retryMs: number
}

/** How one connection ended: for good, or to be tried again after at least `afterMs`. */
type Ended = Readonly<{ kind: 'over'; failure: Failure }> | Readonly<{ kind: 'again'; reason: string; afterMs: number }>

/** L6: follows a service until interrupted, over any number of connections, showing each revision once and in order. */
export async function watchService(
  session: Session,
  service: Service,
  request: WatchRequest,
  waiting: Waiting,
): Promise<Result<null, Failure>> {
  const following: Following = { session, service, request, waiting, cursor: request.since, connected: false, failures: 0, retryMs: 0 }
  const { cancel } = session.io
  while (!cancel.aborted) {
    const ended = await followOnce(following)
    if (cancel.aborted) break
    if (ended.kind === 'over') return err(ended.failure)
    following.failures += 1
    if (following.failures === 1) session.notice('reconnecting', `The connection is over: ${ended.reason}. Connecting again.`)
    const jitter = fullJitterMs(waiting.random, following.failures, backoff.baseMs, backoff.capMs)
    await waiting.clock.sleep(Math.max(ended.afterMs, following.retryMs) + jitter, cancel)
  }
  return ok(null)
}

async function followOnce(following: Following): Promise<Ended> {
  const connection = new AbortController()
  const stop = (): void => connection.abort()
  following.session.io.cancel.addEventListener('abort', stop, { once: true })
  try {
    const reply = await connect(following, connection)
    return reply instanceof Response ? await follow(following, reply) : reply
  } finally {
    following.session.io.cancel.removeEventListener('abort', stop)
    connection.abort()
  }
}

async function connect(
  { session, service, request, waiting, cursor, connected }: Following,
  connection: AbortController,
): Promise<Response | Ended> {
  const settled = new AbortController()
  void waiting.clock.sleep(connectDeadlineMs, settled.signal).then(() => {
    if (!settled.signal.aborted) connection.abort(new DOMException('no answer in time', 'TimeoutError'))
  })
  try {
    return await fetch(
      addressOf(service, '/config/watch', { component: request.component ?? undefined, scope: request.scope ?? undefined }),
      {
        headers: headersOf(service, { accept: 'text/event-stream', ...(cursor === null ? {} : { 'last-event-id': cursor }) }),
        redirect: 'error',
        signal: connection.signal,
      },
    )
  } catch (error) {
    if (!connected && !session.io.cancel.aborted) return { kind: 'over', failure: unreachable(service, error) }
    return { kind: 'again', reason: reasonOf(error), afterMs: 0 }
  } finally {
    settled.abort()
  }
}

async function follow(following: Following, reply: Response): Promise<Ended> {
  const isStream = reply.headers.get('content-type')?.startsWith('text/event-stream') === true
  if (reply.status !== 200 || !isStream || reply.body === null) return refusedConnection(following, reply)
  following.connected = true
  const end = await readEventStream(
    reply.body,
    { clock: following.waiting.clock, silenceMs },
    {
      onMessage: ({ id, data }) => take(following, id, data),
      onId: (id) => moveTo(following, id),
      onRetry: (ms) => {
        following.retryMs = Math.min(ms, backoff.capMs)
      },
    },
  )
  return { kind: 'again', reason: end.reason, afterMs: 0 }
}

async function refusedConnection(following: Following, reply: Response): Promise<Ended> {
  const { session, service, request, connected } = following
  const read = await inTime(
    session.io.cancel,
    readJson(reply).catch(() => null),
    connectDeadlineMs,
  )
  const body = typeof read === 'string' ? null : read
  if (reply.status === 410) {
    const { head } = problemOf(body)
    const cursor = following.cursor ?? ''
    const next = typeof head === 'string' ? head : null
    if (request.strict) return { kind: 'over', failure: cursorGone(cursor, next ?? 'not known') }
    tellGone(session, next ?? 'the newest revision')
    following.cursor = next
    return { kind: 'again', reason: 'the history was replaced', afterMs: 0 }
  }
  const failure = failureOfReply(service, { status: reply.status, body })
  const mayPass = reply.status === 429 || reply.status >= 500
  if (mayPass && connected) return { kind: 'again', reason: failure.detail, afterMs: retryAfterMs(reply) }
  if (reply.status === 200) {
    return {
      kind: 'over',
      failure: { ...failure, code: 'not-a-stream', detail: `What answers at ${service.url.href} is not the Config API.` },
    }
  }
  return { kind: 'over', failure: reply.status === 400 ? { ...failure, exitCode: exitCodes.usage } : failure }
}

function retryAfterMs(reply: Response): number {
  const seconds = Number(reply.headers.get('retry-after') ?? 0)
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, longestRetryAfterMs) : 0
}

/** Shows a revision that is new, passes over one that was shown; answers `false` for what cannot be understood. */
async function take(following: Following, id: string | null, data: string): Promise<boolean> {
  const unit = readUnit(data)
  if (unit === 'garbage') return false
  if (unit === null || id === null) {
    if (id !== null) moveTo(following, id)
    return true
  }
  if (isShown(following.cursor, id)) return true
  await printUnit(following.session, { cursor: id, unit })
  moveTo(following, id)
  return true
}

/** `null` is a message without changes, such as a heartbeat. */
function readUnit(data: string): UnitChanges | null | 'garbage' {
  let message: unknown
  try {
    message = JSON.parse(data)
  } catch {
    return 'garbage'
  }
  if (typeof message !== 'object' || message === null) return 'garbage'
  const { revision, changes } = message as Readonly<{ revision?: unknown; changes?: unknown }>
  if (changes === undefined) return null
  if (typeof revision !== 'number' || !Array.isArray(changes) || !changes.every(isChange)) return 'garbage'
  return changes.length === 0 ? null : (message as UnitChanges)
}

function isChange(change: unknown): boolean {
  if (typeof change !== 'object' || change === null) return false
  const { component, key, scope, version, op } = change as Readonly<Record<string, unknown>>
  return [component, key, scope, op].every((member) => typeof member === 'string') && typeof version === 'number'
}

function moveTo(following: Following, cursor: string): void {
  following.failures = 0
  if (!isShown(following.cursor, cursor)) following.cursor = cursor
}

/** Whether `cursor` is at or before `shown`, of the same epoch. */
function isShown(shown: string | null, cursor: string): boolean {
  if (shown === null) return false
  const [epoch, revision] = splitCursor(cursor)
  const [shownEpoch, shownRevision] = splitCursor(shown)
  return (shownEpoch === epoch || shownEpoch === '') && revision <= shownRevision
}

/** A bare revision, which `--since` may be, has no epoch. */
function splitCursor(cursor: string): readonly [epoch: string, revision: number] {
  const dot = cursor.lastIndexOf('.')
  return [cursor.slice(0, Math.max(dot, 0)), Number(cursor.slice(dot + 1))]
}
