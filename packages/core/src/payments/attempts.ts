import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock, Instant } from '../kernel/clock.ts'
import { deadlines } from '../kernel/deadlines.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import { survivingDefects } from '../kernel/survive-defects.ts'
import type { Transaction } from '../transaction.ts'
import { type FoundPayment, type RecordedView, recordView } from './apply-report.ts'
import { isOpen, type RemoteView } from './judge-report.ts'
import type { Attempt, Payment } from './payment.ts'
import type { Instruction, PaymentService, PaymentServiceUnavailable, RemotePayment } from './ports/payment-service.ts'
import { moved, type Origin, recordSteps } from './transitions.ts'

const findDeadlineMs = 10_000
const instructDeadlineMs = 15_000
/**
 * Whoever asks or instructs has the payment to itself for so long: a request to process by its key, the reconciler by the
 * time of the next check. Longer than asking and instructing take together, by a margin for the units before and after.
 */
export const leaseMs: number = findDeadlineMs + instructDeadlineMs + 5000
/** The Payment Service begins an attempt no more after so long. */
export const attemptLifeMs = 60_000
/** How far its clock may be behind this one. */
const clockMarginMs = 5000
/** When the reconciler first asks after an instruction without a clear answer. */
const firstCheckMs = 5000

/** What came of asking for an attempt, or of sending it. */
export type Heard =
  | Readonly<{ kind: 'remote'; remote: RemotePayment }>
  /** It will never begin. */
  | Readonly<{ kind: 'refused'; reason: string }>
  /** It is not known there, and never will be. */
  | Readonly<{ kind: 'absent' }>
  /** It may have been carried out, or may yet be: that is never a failure. */
  | Readonly<{ kind: 'lost' }>
  /** Nothing yet. */
  | Readonly<{ kind: 'unavailable' }>

/** Calls that answer within a deadline whatever the adapter does; a defect in one is no answer. */
export function guardedPaymentService(service: PaymentService, clock: Clock, log: Log): PaymentService {
  const forInstruct = deadlines(clock, instructDeadlineMs)
  const forFind = deadlines(clock, findDeadlineMs)
  const unavailable = (reason: string): PaymentServiceUnavailable => ({ kind: 'payment-service-unavailable', sent: true, reason })
  const late = err(unavailable('no answer within the deadline'))
  const guarded = <T, E>(call: () => ResultAsync<T, E>): Promise<Result<T, E | PaymentServiceUnavailable>> => {
    const survived = survivingDefects(log, call, unavailable)
    return survived.match<Result<T, E | PaymentServiceUnavailable>, Result<T, E | PaymentServiceUnavailable>>(ok, err)
  }
  return {
    instruct: (instruction) =>
      new ResultAsync(
        forInstruct(
          guarded(() => service.instruct(instruction)),
          () => late,
        ),
      ),
    find: (attemptId) =>
      new ResultAsync(
        forFind(
          guarded(() => service.find(attemptId)),
          () => late,
        ),
      ),
  }
}

/** Sends the payment's one attempt, for the first time or again: it is the same instruction. */
export async function send(
  service: PaymentService,
  { id, amount, currency, payee, userId, reference, metadata }: Payment,
  { id: attemptId, notAfter }: Attempt,
  traceparent: string | null,
): Promise<Heard> {
  const instruction: Instruction = {
    paymentId: id,
    attemptId,
    amount,
    currency,
    payee,
    userId,
    reference,
    metadata,
    notAfter,
    traceparent,
  }
  const answer = await service.instruct(instruction)
  if (answer.isOk()) return { kind: 'remote', remote: answer.value }
  if (answer.error.kind === 'instruction-refused') return { kind: 'refused', reason: answer.error.reason }
  return { kind: answer.error.sent ? 'lost' : 'unavailable' }
}

export type Inquiry = Readonly<{ heard: Heard; hasResent: boolean }>

/** Asks after an attempt; sends it again while it may still begin, concludes when it no longer can. */
export async function inquire(
  { service, clock }: Readonly<{ service: PaymentService; clock: Clock }>,
  payment: Payment,
  attempt: Attempt,
  traceparent: string | null,
): Promise<Inquiry> {
  // What is not known there proves something only when asked after the deadline, not when answered after it.
  const askedAt = clock.now()
  const found = await service.find(attempt.id)
  if (found.isErr()) return { heard: { kind: 'unavailable' }, hasResent: false }
  if (found.value !== null) return { heard: { kind: 'remote', remote: found.value }, hasResent: false }
  if (isConclusive(attempt, askedAt)) return { heard: { kind: 'absent' }, hasResent: false }
  if (!isOpen(payment) || clock.now() >= attempt.notAfter) return { heard: { kind: 'unavailable' }, hasResent: false }
  return { heard: await send(service, payment, attempt, traceparent), hasResent: true }
}

/** From here on "I know no such attempt" means that it never begins. */
export function conclusiveFrom({ notAfter }: Attempt): Instant {
  return notAfter + clockMarginMs
}

export function isConclusive(attempt: Attempt, askedAt: Instant): boolean {
  return askedAt >= conclusiveFrom(attempt)
}

/** Records what was heard of a payment that this unit has found and not recorded yet. */
export function recordHeard(
  ids: IdSource,
  tx: Transaction,
  found: FoundPayment,
  heard: Heard,
  evidence: RemoteView['evidence'],
  origin: Origin,
): RecordedView {
  const { payment } = found
  switch (heard.kind) {
    case 'remote': {
      const { status, reference, reason, amount, currency } = heard.remote
      const view: RemoteView = { status, occurredAt: null, reference, reason, terms: { amount, currency }, evidence }
      return recordView(ids, tx, found, view, origin)
    }
    case 'refused':
      return recordView(ids, tx, found, { ...nothingKnown, status: 'FAILED', reason: heard.reason, evidence }, origin)
    case 'absent':
      if (!isOpen(payment)) return recordView(ids, tx, found, { ...nothingKnown, evidence }, origin)
      return recordView(ids, tx, found, { ...nothingKnown, status: 'FAILED', reason: neverBegan, evidence }, origin)
    case 'lost':
      return payment.status === 'PROCESSING' ? recordLoss(ids, tx, payment, origin) : unchanged(payment)
    case 'unavailable':
      return unchanged(payment)
  }
}

const nothingKnown = { status: null, occurredAt: null, reference: null, reason: null, terms: null } as const
const neverBegan = 'the Payment Service never received the instruction'

function recordLoss(ids: IdSource, tx: Transaction, payment: Payment, origin: Origin): RecordedView {
  const checkAt = origin.at + firstCheckMs
  const step = moved(payment, 'UNKNOWN', { checkAt }, 'no answer to the instruction', origin)
  tx.payments.update(step.payment)
  recordSteps(ids, tx, [step], origin)
  return unchanged(step.payment)
}

function unchanged(payment: Payment): RecordedView {
  return { payment, opened: 0 }
}
