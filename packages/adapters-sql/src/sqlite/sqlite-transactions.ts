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
import { isDefect } from './sqlite-errors.ts'
import { type UnitFlush, unitFlush } from './unit-flush.ts'
import { newRecording, type UnitReads, unitReads, unitTransaction } from './unit-recorder.ts'

type Work<T, E> = (tx: Transaction) => ResultAsync<T, E>

type Caller<Outcome> = Readonly<{
  answer(outcome: Outcome): void
  /** A throw is a defect of one caller, and no business of the others. */
  throwOn(error: unknown): void
  /** The same, for a batch that comes to nothing: trying again would not help. */
  blame(error: unknown): void
}>

type Parts = Readonly<{ reads: UnitReads; writes: UnitFlush; clock: Pick<Clock, 'now'> }>

/** Units of work that share transactions; each sees those before it, none sees half of another. */
export function sqliteTransactions(
  connection: Connection,
  ledger: Ledger,
  group: GroupCommit,
  clock: Pick<Clock, 'now'>,
): Transactions<Transaction> {
  const parts: Parts = { reads: unitReads(connection), writes: unitFlush(connection, ledger), clock }

  return {
    attempt<T, E>(unit: UnitId, work: Work<T, E>): ResultAsync<Committed<T>, E | AttemptFailure> {
      return new ResultAsync(
        new Promise((resolve, reject) => {
          let defect: { error: unknown } | null = null
          function blame(error: unknown): void {
            defect = { error }
          }
          group.enqueue({
            durability: 'full',
            run: (turn) => runUnit(parts, unit, work, turn, { answer: resolve, throwOn: reject, blame }),
            fail: (failure) => (defect === null ? resolve(err(attemptFailure(failure))) : reject(defect.error)),
            refuse: (failure) => resolve(err(failure)),
          })
        }),
      )
    },
    settle(unit) {
      return new ResultAsync<Commit | null, StoreUnavailable>(
        new Promise((resolve, reject) => {
          group.enqueue({
            durability: 'full',
            async run() {
              try {
                const settled = parts.writes.settle(unit)
                return () => resolve(ok(settled))
              } catch (error) {
                if (!isDefect(error)) throw error
                return () => reject(error)
              }
            },
            fail: ({ reason }) => resolve(err(storeUnavailable(reason))),
            refuse: (failure) => resolve(err(failure)),
          })
        }),
      )
    },
  }
}

/** One promise for the whole unit: each further one costs about as much as a statement. */
function runUnit<T, E>(
  { reads, writes, clock }: Parts,
  unit: UnitId,
  work: Work<T, E>,
  turn: Turn,
  caller: Caller<Result<Committed<T>, E | AttemptFailure>>,
): Promise<Answer> {
  const recording = newRecording()
  return new Promise((resolve, reject) => {
    function end(outcome: Result<T, E | StoreUnavailable>): void {
      if (recording.ended) return
      recording.ended = true
      try {
        const answered = outcome.andThen((value) =>
          writes.flush(unit, recording, clock.now()).map((commit): Committed<T> => ({ value, commit })),
        )
        resolve(() => caller.answer(answered))
      } catch (error) {
        defect(error)
      }
    }
    function defect(error: unknown): void {
      recording.ended = true
      if (isDefect(error)) {
        caller.blame(error)
        resolve(() => caller.throwOn(error))
      } else reject(error)
    }
    turn.onExpired((reason) => end(err(storeUnavailable(reason))))
    try {
      work(unitTransaction(reads, recording)).then(end, defect)
    } catch (error) {
      defect(error)
    }
  })
}

function attemptFailure({ kind, reason }: BatchFailure): AttemptFailure {
  if (kind === 'sent') return { kind: 'outcome-unknown', reason }
  return kind === 'contended' ? { kind, reason } : storeUnavailable(reason)
}
