import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import type { IdSource } from '../../kernel/ids.ts'
import type { AttemptFailure, Committed, Transactions, UnitId } from '../../kernel/unit-of-work.ts'
import type { Ports } from '../../ports.ts'
import type { Transaction } from '../../transaction.ts'

type Work<T, E> = (tx: Transaction) => ResultAsync<T, E>
type Attempted<T, E> = ResultAsync<Committed<T>, E | AttemptFailure>
type Write = (tx: Transaction) => void
type Units = Transactions<Transaction>

/** Every unit of work sees the transaction as `change` makes it. */
export function changingUnits(ports: Ports, change: (tx: Transaction) => Transaction): Ports {
  const { transactions: inner } = ports
  const transactions: Units = {
    settle: inner.settle,
    attempt: <T, E>(unit: UnitId, work: Work<T, E>): Attempted<T, E> => inner.attempt(unit, (tx) => work(change(tx))),
  }
  return { ...ports, transactions }
}

/** What is put off by a unit is written in a second one afterwards, if that comes to it. */
export function writingAfterwards(ports: Ports, withhold: (tx: Transaction, putOff: (write: Write) => void) => Transaction): Ports {
  const { transactions: inner, ids } = ports
  const transactions: Units = {
    settle: inner.settle,
    attempt: <T, E>(unit: UnitId, work: Work<T, E>): Attempted<T, E> => {
      let later: Write[] = []
      const attempted = inner.attempt(unit, (tx) => {
        later = []
        return work(withhold(tx, (write) => void later.push(write)))
      })
      return attempted.andThen((committed) => (later.length === 0 ? okAsync(committed) : written(inner, ids, later).map(() => committed)))
    },
  }
  return { ...ports, transactions }
}

/** What is put off by a unit is written in one of its own beforehand. */
export function writingBeforehand(ports: Ports, withhold: (tx: Transaction, putOff: (write: Write) => void) => Transaction): Ports {
  const { transactions: inner, ids } = ports
  const peeked = { kind: 'peeked' } as const
  const transactions: Units = {
    settle: inner.settle,
    attempt: <T, E>(unit: UnitId, work: Work<T, E>): Attempted<T, E> => {
      let first: Write[] = []
      const peek: Work<T, E | typeof peeked> = (tx) => {
        first = []
        const done = work(withhold(tx, (write) => void first.push(write)))
        return done.andThen((value) => (first.length === 0 ? okAsync<T, E | typeof peeked>(value) : errAsync(peeked)))
      }
      return inner.attempt(unit, peek).orElse((failure): Attempted<T, E> => {
        if ((failure as typeof peeked).kind !== 'peeked') return errAsync(failure as E | AttemptFailure)
        return written(inner, ids, first).andThen(() => inner.attempt(unit, (tx) => work(withhold(tx, () => {}))))
      })
    },
  }
  return { ...ports, transactions }
}

function written(inner: Units, ids: IdSource, writes: readonly Write[]): ResultAsync<null, never> {
  const writing = inner.attempt<null, never>(ids.next(), (tx) => {
    for (const write of writes) write(tx)
    return okAsync(null)
  })
  return writing.map(() => null).orElse(() => okAsync(null))
}
