import { type Clock, fullJitterMs, type Instant, type Log, type Random } from '@cbp/core'
import {
  bulkhead,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhenResult,
  isBrokenCircuitError,
  isBulkheadRejectedError,
  isTaskCancelledError,
} from 'cockatiel'
import { retryAfterMs } from '../webhooks/retry-after.ts'
import type { Answer, Unanswered } from './exchange.ts'

export type BreakerState = 'closed' | 'open' | 'half-open'

export type PatienceLimits = Readonly<{
  /** Of one try, from waiting for a connection to the last byte of the answer. */
  tryTimeoutMs: number
  backoffBaseMs: number
  backoffCapMs: number
  /** Calls at once, each on a connection of its own. */
  concurrency: number
  /** Calls that wait for their turn; more are turned away. */
  queue: number
  /** Failed tries in a row that open the circuit. */
  breakerFailures: number
  /** How long it stays open before one call may probe. */
  breakerOpenMs: number
}>

/** How a call ended; `sent`: one of its tries, or a part of it, may have left. */
export type CallOutcome = Readonly<{ result: Answer | Unanswered; tries: number; sent: boolean }>

/** One try within `timeoutMs`. */
export type Try = (timeoutMs: number, cancel: AbortSignal) => Promise<Answer | Unanswered>

export type CallBounds = Readonly<{ tries: number; end: Instant }>

export type Patience = Readonly<{
  /** For idempotent requests only: tries until there is an answer worth having, at most so often and so long. */
  call(attempt: Try, bounds: CallBounds): Promise<CallOutcome>
  state(): BreakerState
}>

type Collaborators = Readonly<{
  clock: Clock
  random: Random
  log: Log
  limits: PatienceLimits
  /** As the log calls the other side. */
  service: string
}>

type Judged = Readonly<{ result: Answer | Unanswered; outage: boolean }>

const passing: ReadonlySet<number> = new Set([429, 502, 503, 504])

/**
 * From the outside in: deadline of the call, bulkhead, tries, circuit breaker, deadline of a try. Each try passes the
 * breaker, so that a call does not go on knocking where others have found nobody at home. The breaker keeps the time of
 * the system: its library has no other.
 */
export function openPatience({ clock, random, log, limits, service }: Collaborators): Patience {
  const breaker = circuitBreaker(
    handleWhenResult((judged) => (judged as Judged).outage),
    { breaker: new ConsecutiveBreaker(limits.breakerFailures), halfOpenAfter: limits.breakerOpenMs },
  )
  breaker.onStateChange((state) => log.write('warn', `the circuit to ${service} has changed`, { state: stateName(state) }))
  const compartment = bulkhead(limits.concurrency, limits.queue)

  async function tryOnce(attempt: Try, end: Instant, cancel: AbortSignal): Promise<Answer | Unanswered> {
    try {
      const { result } = await breaker.execute(async (): Promise<Judged> => {
        const left = end - clock.now()
        if (cancel.aborted || left <= 0) return { result: outOfTime, outage: false }
        const answered = await attempt(Math.min(limits.tryTimeoutMs, left), cancel)
        return { result: answered, outage: isOutage(answered) }
      }, cancel)
      return result
    } catch (error) {
      if (isBrokenCircuitError(error)) return notTried('it has failed several times in a row and is left alone for a while')
      return turnedAway(error)
    }
  }

  /** How long to pause before the next try, or `null` when there shall be none. */
  function pauseMs(result: Answer | Unanswered, tries: number, { tries: most, end }: CallBounds): number | null {
    if (tries >= most || !isPassing(result)) return null
    const now = clock.now()
    const asked = result.kind === 'answer' && result.retryAfter !== null ? retryAfterMs(result.retryAfter, now) : null
    // Jitter on top, because all who were told one instant shall not come back at once.
    const pause = (asked ?? 0) + fullJitterMs(random, tries, limits.backoffBaseMs, limits.backoffCapMs)
    return now + pause < end ? pause : null
  }

  async function tryOften(attempt: Try, progress: Progress, bounds: CallBounds, cancel: AbortSignal): Promise<Answer | Unanswered> {
    for (;;) {
      const result = await tryOnce(progress.follow(attempt), bounds.end, cancel)
      const pause = pauseMs(result, progress.tries(), bounds)
      if (pause === null) return result
      await clock.sleep(pause, cancel)
      if (cancel.aborted) return result
    }
  }

  return {
    async call(attempt, bounds) {
      const progress = openProgress()
      const [late, done] = [new AbortController(), new AbortController()]
      const expired = clock.sleep(Math.max(0, bounds.end - clock.now()), done.signal).then(async () => {
        late.abort()
        await progress.settled()
        return outOfTime
      })
      const tried = compartment.execute(() => tryOften(attempt, progress, bounds, late.signal), late.signal).catch(turnedAway)
      const result = await Promise.race([tried, expired])
      done.abort()
      return { result, tries: progress.tries(), sent: progress.sent() }
    },
    state: () => stateName(breaker.state),
  }
}

type Progress = Readonly<{
  follow(attempt: Try): Try
  tries(): number
  sent(): boolean
  /** Resolves when no try is under way, so that it is known whether it had been sent. */
  settled(): Promise<unknown>
}>

function openProgress(): Progress {
  let tries = 0
  let sent = false
  let underWay: Promise<unknown> = Promise.resolve()
  return {
    follow: (attempt) => async (timeoutMs, cancel) => {
      tries += 1
      const running = attempt(timeoutMs, cancel).then((result) => {
        sent ||= result.kind === 'answer' || result.sent
        return result
      })
      underWay = running
      return await running
    },
    tries: () => tries,
    sent: () => sent,
    settled: () => underWay,
  }
}

function notTried(reason: string): Unanswered {
  return { kind: 'unanswered', sent: false, cause: 'not-tried', reason }
}

const outOfTime: Unanswered = notTried('there was no time left')

function turnedAway(error: unknown): Unanswered {
  if (isBulkheadRejectedError(error)) return notTried('too many calls are under way')
  if (isTaskCancelledError(error)) return outOfTime
  throw error
}

/** Worth another try. */
function isPassing(result: Answer | Unanswered): boolean {
  return result.kind === 'answer' ? passing.has(result.status) : result.cause === 'timeout' || result.cause === 'connection'
}

/** Speaks against the other side as a whole. 429 does not: it is there, and has its hands full with us. */
function isOutage(result: Answer | Unanswered): boolean {
  return result.kind === 'answer' ? result.status >= 500 : result.cause !== 'not-tried'
}

function stateName(state: CircuitState): BreakerState {
  switch (state) {
    case CircuitState.Closed:
      return 'closed'
    case CircuitState.HalfOpen:
      return 'half-open'
    case CircuitState.Open:
    case CircuitState.Isolated:
      return 'open'
  }
}
