import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import { canonicalJson } from '../kernel/json.ts'
import { maySee } from '../kernel/viewer.ts'
import type { Transaction } from '../transaction.ts'
import { findToJudge } from './apply-report.ts'
import { attemptLifeMs, type Heard, inquire, leaseMs, recordHeard, send } from './attempts.ts'
import { type CommandDependencies, recordKey } from './create-payment.ts'
import {
  type Answered,
  type IdempotencyKeyReused,
  type IdempotencyRecord,
  idempotencyKeyLifeMs,
  keyState,
  type RequestInFlight,
  requestInFlight,
} from './idempotency.ts'
import type { Attempt, Payment } from './payment.ts'
import type { PaymentNotFound, PaymentStateConflict, ProcessPayment } from './payments-service.ts'
import type { PaymentService } from './ports/payment-service.ts'
import { begun, type Origin, originOf, recordSteps } from './transitions.ts'

export type ProcessDependencies = CommandDependencies & Readonly<{ paymentService: PaymentService }>

type Command = Parameters<ProcessPayment>[0]
type Refusal = PaymentNotFound | PaymentStateConflict | IdempotencyKeyReused | RequestInFlight | StoreUnavailable

/** A request that goes on to the Payment Service. */
type Started = Readonly<{
  kind: 'started'
  payment: Payment
  attempt: Attempt
  /** Its `leasedUntil` is the fence: whoever takes the request over sets a later one. */
  key: IdempotencyRecord
  /** Whoever began may have sent the attempt already. */
  isTakenOver: boolean
}>

/**
 * Two units with the Payment Service between them: the first takes the key and makes the payment PROCESSING, the second
 * records what came of it and keeps the answer. Whoever crashes in between leaves a lease that ends, and a payment that
 * the reconciler asks after (L10).
 */
export function processPayment(deps: ProcessDependencies): ProcessPayment {
  return (command) => new ResultAsync(carryOut(deps, command))
}

async function carryOut(deps: ProcessDependencies, command: Command): Promise<Result<Answered<Payment>, Refusal>> {
  const { clock, paymentService: service } = deps
  const fingerprint = deps.digest.sha256(canonicalJson({ paymentId: command.id }))
  const first = await deps.unitOfWork.run((tx) => new ResultAsync(begin(deps, tx, fingerprint, command)))
  if (first.isErr()) return err(first.error)
  const started = first.value.value
  if (started.kind === 'answered') return ok(started.answered)
  const { payment, attempt, isTakenOver } = started
  const { traceparent } = command.caller
  const heard = isTakenOver
    ? (await inquire({ service, clock }, payment, attempt, traceparent)).heard
    : await send(service, payment, attempt, traceparent)
  const second = await deps.unitOfWork.run((tx) => new ResultAsync(end(deps, tx, started, heard, command)))
  if (second.isErr()) return err(second.error)
  const ended = second.value.value
  return ended.kind === 'answered' ? ok(ended.answered) : err(ended)
}

type AnsweredAs = Readonly<{ kind: 'answered'; answered: Answered<Payment> }>
type Begun = Started | AnsweredAs

async function begin(deps: ProcessDependencies, tx: Transaction, fingerprint: string, command: Command): Promise<Result<Begun, Refusal>> {
  const { id, viewer, caller, idempotency } = command
  const now = deps.clock.now()
  const place = { client: caller.client, operation: 'process-payment', key: idempotency.key } as const
  // The payment before the key: whoever finds it changed by its own request also finds the key.
  const [found, held] = await Promise.all([tx.payments.find({ id }), tx.idempotencyKeys.find(place)])
  if (found.isErr()) return err(found.error)
  if (held.isErr()) return err(held.error)
  const payment = found.value
  if (payment === null || !maySee(viewer, payment.client)) return err({ kind: 'payment-not-found', id })
  const state = keyState(held.value, fingerprint, now)
  switch (state.kind) {
    case 'answered':
      return ok({ kind: 'answered', answered: { answer: state.answer, value: null } })
    case 'abandoned':
      return ok(takeOver(tx, state.record, payment, command, now + leaseMs))
    case 'idempotency-key-reused':
    case 'request-in-flight':
      return err(state)
    case 'free': {
      if (payment.status !== 'PENDING') return err({ kind: 'payment-state-conflict', action: 'process', payment })
      const leasedUntil = now + leaseMs
      const key = { ...place, fingerprint, paymentId: id, answer: null, leasedUntil, expiresAt: now + idempotencyKeyLifeMs }
      recordKey(tx, held.value, key)
      return ok(start(deps, tx, payment, key, originOf(caller, now)))
    }
  }
}

function start({ ids }: ProcessDependencies, tx: Transaction, payment: Payment, key: IdempotencyRecord, origin: Origin): Started {
  const attempt: Attempt = { id: ids.next(), startedAt: origin.at, notAfter: origin.at + attemptLifeMs }
  // The reconciler leaves the payment alone while this request may still be at work on it.
  const step = begun(payment, attempt, key.leasedUntil, origin)
  tx.payments.update(step.payment)
  recordSteps(ids, tx, [step], origin)
  return { kind: 'started', payment: step.payment, attempt, key, isTakenOver: false }
}

/** Instructs again only what still waits for an answer; anything else has its answer in the payment as it is. */
function takeOver(tx: Transaction, record: IdempotencyRecord, payment: Payment, { idempotency }: Command, leasedUntil: number): Begun {
  if (payment.status !== 'PROCESSING' || payment.attempt === null) {
    const answer = idempotency.answerOf(payment)
    tx.idempotencyKeys.update({ ...record, answer })
    return { kind: 'answered', answered: { answer, value: payment } }
  }
  const key = { ...record, leasedUntil }
  tx.idempotencyKeys.update(key)
  return { kind: 'started', payment, attempt: payment.attempt, key, isTakenOver: true }
}

/** What was heard is recorded in any case; the answer only by whoever still holds the request, so that there is one. */
async function end(
  { ids, clock }: ProcessDependencies,
  tx: Transaction,
  { key }: Started,
  heard: Heard,
  { id, caller, idempotency }: Command,
): Promise<Result<AnsweredAs | RequestInFlight, Refusal>> {
  const now = clock.now()
  const [found, held] = await Promise.all([findToJudge(tx, id), tx.idempotencyKeys.find(key)])
  if (found.isErr()) return err(found.error)
  if (held.isErr()) return err(held.error)
  if (found.value === null) return err({ kind: 'payment-not-found', id })
  const { requestId, traceparent } = caller
  const origin: Origin = { actor: 'payment-service', cause: 'instruction', requestId, traceparent, at: now }
  const { payment } = recordHeard(ids, tx, found.value, heard, 'told', origin)
  const first = held.value?.answer ?? null
  if (first !== null) return ok({ kind: 'answered', answered: { answer: first, value: null } })
  if (held.value?.leasedUntil !== key.leasedUntil) return ok(requestInFlight(held.value ?? key, now))
  const answer = idempotency.answerOf(payment)
  tx.idempotencyKeys.update({ ...held.value, answer })
  return ok({ kind: 'answered', answered: { answer, value: payment } })
}
