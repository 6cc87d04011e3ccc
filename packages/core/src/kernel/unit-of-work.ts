import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Brand } from './brand.ts'
import type { Clock, Instant } from './clock.ts'
import { type StoreUnavailable, storeUnavailable } from './failures.ts'
import type { IdSource, Uuid } from './ids.ts'
import { fullJitterMs, type Random } from './random.ts'
import type { Signals, Topic } from './signals.ts'

/** The identity of one unit of work, stored with what it wrote. */
export type UnitId = Uuid

/** The store-wide counter of units that wrote configuration: 1, 2, 3 …; 0 is the empty store. */
export type Revision = Brand<number, 'Revision'>

export const zeroRevision: Revision = 0 as Revision

/** What the store assigned to a committed unit. */
export type Commit = Readonly<{
  unit: UnitId
  /** `null` for a unit that took none because it wrote no configuration. */
  revision: Revision | null
  /** Never earlier than that of any unit with a lower revision. */
  recordedAt: Instant
  /** What listeners should be woken for. */
  topics: readonly Topic[]
}>

export type Committed<T> = Readonly<{ value: T; commit: Commit }>

/** Another unit was in the way (deadlock victim, unique index, busy file); nothing was written. */
export type Contended = Readonly<{ kind: 'contended'; reason: string }>

/** The unit was sent but its fate is not known: it may have been, or may yet be, committed. */
export type OutcomeUnknown = Readonly<{ kind: 'outcome-unknown'; reason: string }>

/** How one attempt ended without a commit, or without news of one. */
export type AttemptFailure = Contended | OutcomeUnknown | StoreUnavailable

/**
 * Port: atomic units over one store. `Tx` reads the store and *records* writes.
 *
 * Laws, checked by the contract suite:
 * - `attempt` runs `work` once, awaits nothing else, and flushes what it recorded as one batch: all of it or nothing.
 * - When `work` answers an error, nothing is written and that error is the answer.
 * - L0: no unit takes effect twice. The id is stored with the unit under a unique index.
 * - L1: revisions never repeat and never become visible out of order.
 */
export interface Transactions<Tx> {
  attempt<T, E>(unit: UnitId, work: (tx: Tx) => ResultAsync<T, E>): ResultAsync<Committed<T>, E | AttemptFailure>
  /**
   * After `outcome-unknown`: answers the commit of that unit, or makes sure that it never commits and answers `null`.
   * Asked again, it answers the same. A unit that recorded nothing need not be known.
   */
  settle(unit: UnitId): ResultAsync<Commit | null, StoreUnavailable>
}

/**
 * Atomic work: `run` tries again where that is safe and answers the one commit of the unit.
 * `work` reads through `tx`, records on `tx`, awaits nothing else, and may be run again.
 */
export interface UnitOfWork<Tx> {
  run<T, E>(work: (tx: Tx) => ResultAsync<T, E>): ResultAsync<Committed<T>, E | StoreUnavailable>
}

type Dependencies<Tx> = Readonly<{
  transactions: Transactions<Tx>
  ids: IdSource
  clock: Clock
  random: Random
  signals: Signals
}>

const attemptsPerUnit = 12

/** Builds the retrying unit of work over the port: L0 holds although answers may be lost. */
export function unitOfWork<Tx>(deps: Dependencies<Tx>): UnitOfWork<Tx> {
  return {
    run<T, E>(work: (tx: Tx) => ResultAsync<T, E>): ResultAsync<Committed<T>, E | StoreUnavailable> {
      return new ResultAsync(runUntilSettled(deps, work))
    },
  }
}

async function runUntilSettled<Tx, T, E>(
  deps: Dependencies<Tx>,
  work: (tx: Tx) => ResultAsync<T, E>,
): Promise<Result<Committed<T>, E | StoreUnavailable>> {
  let reason = ''
  for (let attempt = 1; attempt <= attemptsPerUnit; attempt += 1) {
    if (attempt > 1) await deps.clock.sleep(fullJitterMs(deps.random, attempt - 1, 5, 500))
    const outcome = await attemptOnce(deps, work)
    if (outcome.isOk()) {
      for (const topic of outcome.value.commit.topics) deps.signals.raise(topic)
      return ok(outcome.value)
    }
    if (!isContended(outcome.error)) return err(outcome.error)
    reason = outcome.error.reason
  }
  return err(storeUnavailable(`gave up after ${attemptsPerUnit} attempts: ${reason}`))
}

/** One attempt under an id of its own; a lost answer is looked up before anything else, so only a settled unit is tried again. */
async function attemptOnce<Tx, T, E>(
  { transactions, ids, clock, random }: Dependencies<Tx>,
  work: (tx: Tx) => ResultAsync<T, E>,
): Promise<Result<Committed<T>, E | StoreUnavailable | Contended>> {
  const unit = ids.next()
  let computed: { value: T } | null = null
  const remembering = async (tx: Tx): Promise<Result<T, E>> => {
    const result = await work(tx)
    if (result.isOk()) computed = { value: result.value }
    return result
  }
  const outcome = await transactions.attempt(unit, (tx) => new ResultAsync(remembering(tx)))
  if (outcome.isOk()) return ok(outcome.value)
  const failure = outcome.error
  if (!isOutcomeUnknown(failure)) return err(failure as E | StoreUnavailable | Contended)
  for (let look = 1; ; look += 1) {
    const settled = await transactions.settle(unit)
    if (settled.isOk()) {
      const remembered = computed as { value: T } | null
      if (settled.value === null || remembered === null) return err({ kind: 'contended', reason: failure.reason })
      return ok({ value: remembered.value, commit: settled.value })
    }
    if (look === attemptsPerUnit) return err(settled.error)
    await clock.sleep(fullJitterMs(random, look, 5, 500))
  }
}

function isContended(failure: unknown): failure is Contended {
  return kindOf(failure) === 'contended'
}

function isOutcomeUnknown(failure: unknown): failure is OutcomeUnknown {
  return kindOf(failure) === 'outcome-unknown'
}

function kindOf(failure: unknown): unknown {
  return typeof failure === 'object' && failure !== null ? (failure as { kind?: unknown }).kind : undefined
}
