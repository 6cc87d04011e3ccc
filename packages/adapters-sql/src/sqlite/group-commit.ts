import { type Clock, cancelSource, type Random, type StoreUnavailable, storeUnavailable } from '@cbp/core'
import type { Durability } from '../sql/engine.ts'
import { type Fifo, fifo } from './fifo.ts'
import { isBusy, reasonOf, sqliteCode } from './sqlite-errors.ts'

/** Tells a caller how it went; called after the shared transaction has ended. */
export type Answer = () => void

/** How a whole batch came to nothing. `sent`: its COMMIT failed, so that its fate is not known. */
export type BatchFailure = Readonly<{ kind: 'rolled-back' | 'contended' | 'sent'; reason: string }>

/** One caller's part in a shared transaction. */
export type Job = Readonly<{
  durability: Durability
  /** Runs inside the transaction. Answers only for itself: an error of SQLite that it throws ends the whole batch. */
  run(turn: Turn): Promise<Answer>
  /** The batch was not committed, or nobody knows. */
  fail(failure: BatchFailure): void
  refuse(failure: StoreUnavailable): void
}>

/** What a job may wait for, besides itself: `expired` settles when it takes too long. */
export type Turn = Readonly<{ onExpired(listener: (reason: string) => void): void }>

/** The transaction that a batch shares. */
export interface SharedTransaction {
  /** Throws busy when another process holds the lock. */
  begin(durability: Durability): void
  /** Whether SQLite still holds the transaction: some errors end it. */
  isOpen(): boolean
  /** Writes what was kept back until all units had run. */
  complete(): void
  commit(): void
  /** Forgets all that was done since `begin`; never throws. */
  rollback(): void
}

export type GroupCommitLimits = Readonly<{
  /** Waiting jobs; more are refused. */
  queue: number
  /** Jobs in one batch. */
  batchUnits: number
  /** Time for one batch; the job that crosses it is the last. */
  batchMs: number
  /** How long one unit's work may take. */
  workMs: number
  /** How long another process may hold the lock before those who wait are told. */
  busyMs: number
}>

export const defaultLimits: GroupCommitLimits = { queue: 8192, batchUnits: 256, batchMs: 10, workMs: 5000, busyMs: 5000 }

export type Defer = (run: () => void) => void

type Dependencies = Readonly<{
  transaction: SharedTransaction
  clock: Clock
  random: Random
  defer: Defer
  limits: GroupCommitLimits
}>

export type GroupCommit = Readonly<{
  enqueue(job: Job): void
  /** Jobs waiting or running. */
  size(): number
  /** Refuses newcomers, resolves once all others are answered. */
  drain(): Promise<void>
  /** Begins nothing more and answers nobody: the connection is about to be cut. */
  abandon(): void
}>

type Running = { ordinal: number; done: boolean; expire: ((reason: string) => void) | null; cancel: () => void }

/** Lets all callers of one turn of the event loop share one transaction: they pay one sync of the disk together. */
export function groupCommit(deps: Dependencies): GroupCommit {
  const waiting = jobQueue()
  let running = false
  let closing: (() => void) | null = null
  let abandoned = false

  function schedule(): void {
    running = true
    deps.defer(() => void runOnce())
  }

  async function runOnce(): Promise<void> {
    try {
      if (!abandoned) await runBatch(deps, waiting, () => abandoned)
    } catch (error) {
      if (!abandoned) throw error
    } finally {
      running = false
      if (abandoned) closing?.()
      else if (waiting.size() > 0) schedule()
      else closing?.()
    }
  }

  return {
    enqueue(job) {
      if (closing !== null) return job.refuse(storeUnavailable('the store is closing'))
      if (waiting.size() >= deps.limits.queue) {
        return job.refuse(storeUnavailable(`the store is overloaded: ${deps.limits.queue} units wait already; try again later`))
      }
      waiting.push(job)
      if (!running) schedule()
    },
    size: () => waiting.size(),
    drain: () =>
      new Promise((resolve) => {
        closing = resolve
        if (!running) resolve()
      }),
    abandon() {
      abandoned = true
    },
  }
}

type JobQueue = Fifo<Job> & Readonly<{ hasFull(): boolean }>

function jobQueue(): JobQueue {
  const waiting = fifo<Job>()
  let full = 0
  return {
    ...waiting,
    push(job) {
      full += Number(job.durability === 'full')
      waiting.push(job)
    },
    shift() {
      const job = waiting.shift()
      full -= Number(job?.durability === 'full')
      return job
    },
    hasFull: () => full > 0,
  }
}

async function runBatch(deps: Dependencies, waiting: JobQueue, isAbandoned: () => boolean): Promise<void> {
  const { transaction } = deps
  // Relaxed jobs in front of full ones share their commit: one of their own would cost more than the sync they wait for.
  const durability = waiting.hasFull() ? 'full' : 'relaxed'
  const refusal = await begin(deps, durability)
  if (refusal !== null) return refuseAll(waiting, refusal)
  const taken: Job[] = []
  const running: Running = { ordinal: 0, done: false, expire: null, cancel: () => {} }
  watch(deps, running)
  try {
    const answers = await runJobs(deps, waiting, durability, taken, running)
    if (isAbandoned()) return
    if (commit(transaction, taken)) for (const answer of answers) answer()
  } catch (error) {
    if (!isAbandoned()) failBatch(transaction, taken, error)
  } finally {
    running.done = true
    running.cancel()
  }
}

/** Takes the write lock; while another process has it, waits without holding up the event loop. */
async function begin({ transaction, clock, random, limits }: Dependencies, durability: Durability): Promise<StoreUnavailable | null> {
  const givesUpAt = clock.now() + limits.busyMs
  for (;;) {
    try {
      transaction.begin(durability)
      return null
    } catch (error) {
      const code = sqliteCode(error)
      if (code === null) throw error
      if (!isBusy(error) || clock.now() >= givesUpAt) return storeUnavailable(reasonOf(code))
    }
    await clock.sleep(Math.ceil(10 * random.fraction()) + 1)
  }
}

async function runJobs(
  { transaction, clock, limits }: Dependencies,
  waiting: JobQueue,
  durability: Durability,
  taken: Job[],
  running: Running,
): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  const endsAt = clock.now() + limits.batchMs
  const turn: Turn = {
    onExpired(listener) {
      running.expire = listener
    },
  }
  while (taken.length < limits.batchUnits && (taken.length === 0 || clock.now() < endsAt)) {
    const next = waiting.peek()
    if (next === undefined || (durability === 'relaxed' && next.durability === 'full')) break
    waiting.shift()
    taken.push(next)
    running.ordinal += 1
    running.expire = null
    answers.push(await next.run(turn))
    if (!transaction.isOpen()) break
  }
  return answers
}

/** Answers whether the batch is committed; tells its callers where it is not. */
function commit(transaction: SharedTransaction, taken: readonly Job[]): boolean {
  // After some errors SQLite has rolled back by itself, and whoever met the error has had it as an answer.
  if (!transaction.isOpen()) {
    transaction.rollback()
    failAll(taken, { kind: 'contended', reason: 'SQLite has rolled back the shared transaction' })
    return false
  }
  transaction.complete()
  try {
    transaction.commit()
    return true
  } catch (error) {
    const code = sqliteCode(error)
    if (code === null) throw error
    transaction.rollback()
    failAll(taken, { kind: isBusy(error) ? 'contended' : 'sent', reason: reasonOf(code) })
    return false
  }
}

function failBatch(transaction: SharedTransaction, taken: readonly Job[], error: unknown): void {
  transaction.rollback()
  const code = sqliteCode(error)
  const reason = code === null ? 'a defect of the store' : reasonOf(code)
  failAll(taken, { kind: isBusy(error) ? 'contended' : 'rolled-back', reason })
  if (code === null) throw error
}

function failAll(taken: readonly Job[], failure: BatchFailure): void {
  for (const job of taken) job.fail(failure)
}

function refuseAll(waiting: JobQueue, failure: StoreUnavailable): void {
  for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) job.refuse(failure)
}

/**
 * Work that keeps to its reads ends within one turn of the event loop, so that only a batch that outlives a turn is
 * watched: a unit that awaits anything else would hold the lock for everybody.
 */
function watch({ clock, defer, limits }: Dependencies, running: Running): void {
  defer(() => void expireSlowJobs(clock, limits.workMs, running))
}

async function expireSlowJobs(clock: Clock, workMs: number, running: Running): Promise<void> {
  if (running.done) return
  const { signal, cancel } = cancelSource()
  running.cancel = cancel
  while (!running.done) {
    const seen = running.ordinal
    await clock.sleep(workMs, signal)
    if (!running.done && running.ordinal === seen) running.expire?.(`the work took longer than ${workMs} ms`)
  }
}
