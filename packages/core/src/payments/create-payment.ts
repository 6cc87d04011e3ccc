import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock } from '../kernel/clock.ts'
import type { Digest } from '../kernel/digest.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import { canonicalJson } from '../kernel/json.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import {
  type Answered,
  type IdempotencyKeyReused,
  type IdempotencyRecord,
  idempotencyKeyLifeMs,
  keyState,
  type RequestInFlight,
} from './idempotency.ts'
import type { Payment } from './payment.ts'
import { detailsOf, paymentFaults } from './payment-details.ts'
import type { CreatePayment, DuplicateReference, InvalidPayment } from './payments-service.ts'
import { created, originOf, recordSteps } from './transitions.ts'

export type CommandDependencies = Readonly<{ unitOfWork: UnitOfWork<Transaction>; ids: IdSource; clock: Clock; digest: Digest }>

type Command = Parameters<CreatePayment>[0]
type Refusal = DuplicateReference | IdempotencyKeyReused | RequestInFlight | StoreUnavailable

/** Key, payment, reference and event in one unit (L10). Plain async functions inside one result, because this is a hot path. */
export function createPayment(deps: CommandDependencies): CreatePayment {
  return (command) => new ResultAsync(create(deps, command))
}

async function create(
  deps: CommandDependencies,
  { details: given, caller, idempotency }: Command,
): Promise<Result<Answered<Payment>, InvalidPayment | Refusal>> {
  const faults = paymentFaults(given)
  if (faults.length > 0) return err({ kind: 'invalid-payment', faults })
  const details = detailsOf(given)
  const fingerprint = deps.digest.sha256(canonicalJson(details))
  const committed = await deps.unitOfWork.run((tx) => {
    return new ResultAsync(recordCreation(deps, tx, fingerprint, { details, caller, idempotency }))
  })
  return committed.isErr() ? err(committed.error) : ok(committed.value.value)
}

async function recordCreation(
  { ids, clock }: CommandDependencies,
  tx: Transaction,
  fingerprint: string,
  { details, caller, idempotency }: Command,
): Promise<Result<Answered<Payment>, Refusal>> {
  const { client } = caller
  const place = { client, operation: 'create-payment', key: idempotency.key } as const
  const now = clock.now()
  const { reference } = details
  // The reference before the key: one request makes both, so whoever finds it taken by its own request also finds the key.
  const [taken, found] = await Promise.all([
    reference === null ? ok(null) : tx.paymentReferences.find({ client, reference }),
    tx.idempotencyKeys.find(place),
  ])
  if (taken.isErr()) return err(taken.error)
  if (found.isErr()) return err(found.error)
  const state = keyState(found.value, fingerprint, now)
  if (state.kind === 'answered') return ok({ answer: state.answer, value: null })
  if (state.kind === 'idempotency-key-reused' || state.kind === 'request-in-flight') return err(state)
  if (reference !== null && taken.value !== null) {
    return err({ kind: 'duplicate-reference', reference, paymentId: taken.value.paymentId })
  }
  const origin = originOf(caller, now)
  const step = created(ids.next(), client, details, origin)
  const { payment } = step
  const answer = idempotency.answerOf(payment)
  tx.payments.insert(payment)
  if (reference !== null) tx.paymentReferences.insert({ client, reference, paymentId: payment.id })
  recordSteps(ids, tx, [step], origin)
  recordKey(tx, found.value, {
    ...place,
    fingerprint,
    paymentId: payment.id,
    answer,
    leasedUntil: now,
    expiresAt: now + idempotencyKeyLifeMs,
  })
  return ok({ answer, value: payment })
}

/** The row of an expired key is there until it is dropped, so it is written over. */
export function recordKey(tx: Transaction, found: IdempotencyRecord | null, record: IdempotencyRecord): void {
  if (found === null) tx.idempotencyKeys.insert(record)
  else tx.idempotencyKeys.update(record)
}
