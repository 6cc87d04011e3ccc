import { err, errAsync, type Result, ResultAsync } from 'neverthrow'
import { storeUnavailable } from '../failures.ts'
import type { AttemptFailure, Committed, OutcomeUnknown, Transactions, UnitId } from '../unit-of-work.ts'
import { afterDelay, type CallFault, type Faults, underFault } from './faults.ts'

/**
 * `contended`, `unavailable`: nothing takes effect, and the answer says so. `lost-before`, `lost-after`: the outcome is
 * unknown, and the unit did not, or did, take effect. `lost-late`: unknown, and it takes effect only later, unless it is
 * settled first. `slow`: everything in order, but late.
 */
export type TransactionFault = 'slow' | 'contended' | 'unavailable' | 'lost-before' | 'lost-after' | 'lost-late' | `settle-${CallFault}`

const attemptFaults = ['slow', 'contended', 'unavailable', 'lost-before', 'lost-after', 'lost-late'] as const
const callFaults = {
  'settle-slow': 'slow',
  'settle-unavailable-before': 'unavailable-before',
  'settle-unavailable-after': 'unavailable-after',
} as const

export function faultyTransactions<Tx>(inner: Transactions<Tx>, faults: Faults<TransactionFault>): Transactions<Tx> {
  return {
    attempt<T, E>(unit: UnitId, work: (tx: Tx) => ResultAsync<T, E>): ResultAsync<Committed<T>, E | AttemptFailure> {
      switch (faults.draw(attemptFaults)) {
        case 'slow':
          return afterDelay(faults, () => inner.attempt(unit, work))
        case 'contended':
          return abandoned(inner, unit, work, { kind: 'contended', reason: 'injected: a deadlock' })
        case 'unavailable':
          return abandoned(inner, unit, work, storeUnavailable('injected: no connection'))
        case 'lost-before':
          return abandoned(inner, unit, work, outcomeUnknown)
        case 'lost-after':
          return inner.attempt(unit, work).andThen(() => errAsync(outcomeUnknown))
        case 'lost-late':
          return new ResultAsync(sendLate(inner, unit, work, faults))
        case null:
          return inner.attempt(unit, work)
      }
    },
    settle(unit) {
      const fault = faults.draw(['settle-slow', 'settle-unavailable-before', 'settle-unavailable-after'])
      const kind = fault === null ? null : callFaults[fault]
      return underFault(kind, faults, storeUnavailable('injected: no connection'), () => inner.settle(unit))
    },
  }
}

const outcomeUnknown: OutcomeUnknown = { kind: 'outcome-unknown', reason: 'injected: the connection broke during commit' }

type Work<Tx, T, E> = (tx: Tx) => ResultAsync<T, E>

/** Does the work, then drops what it recorded. */
function abandoned<Tx, T, E>(
  inner: Transactions<Tx>,
  unit: UnitId,
  work: Work<Tx, T, E>,
  failure: AttemptFailure,
): ResultAsync<Committed<T>, E | AttemptFailure> {
  return inner.attempt(unit, (tx) => work(tx).andThen(() => errAsync<T, AttemptFailure>(failure)))
}

/** The unit stays on its way after its sender was told that nothing is known of it. */
function sendLate<Tx, T, E>(
  inner: Transactions<Tx>,
  unit: UnitId,
  work: Work<Tx, T, E>,
  faults: Faults<TransactionFault>,
): Promise<Result<Committed<T>, E | AttemptFailure>> {
  return new Promise((resolve, reject) => {
    const held = inner.attempt(unit, (tx) =>
      work(tx).andThen((value) => {
        resolve(err(outcomeUnknown))
        return ResultAsync.fromSafePromise(faults.delay().then(() => value))
      }),
    )
    held.then(resolve, reject)
  })
}
