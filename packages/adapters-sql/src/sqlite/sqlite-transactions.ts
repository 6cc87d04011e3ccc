import {
  type AttemptFailure,
  type Clock,
  type Commit,
  type Committed,
  type StoreUnavailable,
  storeUnavailable,
  type Transaction,
  type Transactions,
  type UnitId,
} from '@cbp/core'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Connection } from './connection.ts'
import type { Answer, BatchFailure, GroupCommit, Turn } from './group-commit.ts'
import type { Ledger } from './ledger.ts'
import { sqliteCode } from './sqlite-errors.ts'
import { unitFlush } from './unit-flush.ts'
import { type Recording, unitReads, unitTransaction } from './unit-recorder.ts'

type Work<T, E> = (tx: Transaction) => ResultAsync<T, E>

/** Units of work that share transactions; each sees those before it, none sees half of another. */
export function sqliteTransactions(
  connection: Connection,
  ledger: Ledger,
  group: GroupCommit,
  clock: Pick<Clock, 'now'>,
): Transactions<Transaction> {
  const reads = unitReads(connection, ledger)
  const writes = unitFlush(connection, ledger)

  async function runUnit<T, E>(
    unit: UnitId,
    work: Work<T, E>,
    turn: Turn,
    answer: (outcome: Result<Committed<T>, E | AttemptFailure>) => void,
  ): Promise<Answer> {
    const recording: Recording = { drafts: [], events: [], ended: false }
    const outcome = await withinTurn(work, unitTransaction(reads, recording), turn)
    recording.ended = true
    if (outcome.isErr()) return () => answer(err(outcome.error))
    const flushed = writes.flush(unit, recording, clock.now())
    return () => answer(flushed.map((commit) => ({ value: outcome.value, commit })))
  }

  return {
    attempt<T, E>(unit: UnitId, work: Work<T, E>): ResultAsync<Committed<T>, E | AttemptFailure> {
      return new ResultAsync(
        new Promise((resolve, reject) => {
          group.enqueue({
            durability: 'full',
            run: (turn) => runUnit(unit, work, turn, resolve).catch(passDefect(reject)),
            fail: (failure) => resolve(err(attemptFailure(failure))),
            refuse: (failure) => resolve(err(failure)),
          })
        }),
      )
    },
    settle(unit) {
      return new ResultAsync<Commit | null, StoreUnavailable>(
        new Promise((resolve) => {
          group.enqueue({
            durability: 'full',
            async run() {
              const settled = writes.settle(unit)
              return () => resolve(ok(settled))
            },
            fail: ({ reason }) => resolve(err(storeUnavailable(reason))),
            refuse: (failure) => resolve(err(failure)),
          })
        }),
      )
    },
  }
}

/** The work's own answer, or the store's when it does not come. */
function withinTurn<T, E>(work: Work<T, E>, tx: Transaction, turn: Turn): Promise<Result<T, E | StoreUnavailable>> {
  return new Promise((resolve, reject) => {
    turn.onExpired((reason) => resolve(err(storeUnavailable(reason))))
    work(tx).then(resolve, reject)
  })
}

/** A throw is a defect of one caller, and no business of the others; an error of SQLite is everybody's. */
export function passDefect(reject: (error: unknown) => void): (error: unknown) => Answer {
  return (error) => {
    if (sqliteCode(error) !== null) throw error
    return () => reject(error)
  }
}

function attemptFailure({ kind, reason }: BatchFailure): AttemptFailure {
  if (kind === 'sent') return { kind: 'outcome-unknown', reason }
  return kind === 'contended' ? { kind, reason } : storeUnavailable(reason)
}
