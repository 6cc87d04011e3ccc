import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import { jsonEquals } from '../kernel/json.ts'
import { maySee } from '../kernel/viewer.ts'
import type { Transaction } from '../transaction.ts'
import type { CommandDependencies } from './create-payment.ts'
import { detailOf } from './judge-report.ts'
import type { Payment } from './payment.ts'
import { detailsOf, paymentFaults } from './payment-details.ts'
import type {
  AmendPayment,
  CancelPayment,
  PaymentAmendment,
  PaymentChange,
  PaymentMatch,
  PaymentNotFound,
  PaymentStateConflict,
  StalePayment,
} from './payments-service.ts'
import { amended, cancelled, type Origin, originOf, recordSteps, type Step } from './transitions.ts'

type Refusal = PaymentNotFound | PaymentStateConflict | StalePayment | StoreUnavailable
/** `null`: there is nothing to change. */
type Decide = (payment: Payment, origin: Origin) => Step | null

export function amendPayment(deps: CommandDependencies): AmendPayment {
  return (command) => {
    const faults = paymentFaults(command.amendment)
    if (faults.length > 0) return new ResultAsync(Promise.resolve(err({ kind: 'invalid-payment', faults })))
    return new ResultAsync(changePending(deps, 'amend', command, (payment, origin) => amend(payment, command.amendment, origin)))
  }
}

export function cancelPayment(deps: CommandDependencies): CancelPayment {
  return (command) => {
    return new ResultAsync(
      changePending(deps, 'cancel', command, (payment, origin) => cancelled(payment, command.reason && detailOf(command.reason), origin)),
    )
  }
}

const amendable = ['amount', 'currency', 'payee', 'metadata'] as const

function amend(payment: Payment, amendment: PaymentAmendment, origin: Origin): Step | null {
  const after = detailsOf({ ...payment, ...amendment })
  const names = amendable.filter((name) => !jsonEquals(after[name], payment[name]))
  return names.length === 0 ? null : amended(payment, after, names.join(', '), origin)
}

async function changePending(
  deps: CommandDependencies,
  action: 'amend' | 'cancel',
  change: PaymentChange,
  decide: Decide,
): Promise<Result<Payment, Refusal>> {
  const committed = await deps.unitOfWork.run((tx) => new ResultAsync(recordChange(deps, tx, action, change, decide)))
  return committed.isErr() ? err(committed.error) : ok(committed.value.value)
}

/** What can no longer be changed at all is refused before what was last seen counts (RFC 9110, 13.2.1). */
async function recordChange(
  { ids, clock }: CommandDependencies,
  tx: Transaction,
  action: 'amend' | 'cancel',
  { id, viewer, caller, match }: PaymentChange,
  decide: Decide,
): Promise<Result<Payment, Refusal>> {
  const found = await tx.payments.find({ id })
  if (found.isErr()) return err(found.error)
  const payment = found.value
  if (payment === null || !maySee(viewer, payment.client)) return err({ kind: 'payment-not-found', id })
  if (payment.status !== 'PENDING') return err({ kind: 'payment-state-conflict', action, payment })
  if (!matches(match, payment)) return err({ kind: 'stale-payment', payment })
  const origin = originOf(caller, clock.now())
  const step = decide(payment, origin)
  if (step === null) return ok(payment)
  tx.payments.update(step.payment)
  recordSteps(ids, tx, [step], origin)
  return ok(step.payment)
}

function matches(match: PaymentMatch, { version }: Payment): boolean {
  return match === 'any' || match.includes(version)
}
