import type { ResultAsync } from 'neverthrow'
import type { Caller } from '../kernel/caller.ts'
import type { CancelSignal } from '../kernel/cancel.ts'
import type { InputFault, StoreUnavailable } from '../kernel/failures.ts'
import type { Page } from '../kernel/page.ts'
import { unitOfWork } from '../kernel/unit-of-work.ts'
import type { Viewer } from '../kernel/viewer.ts'
import type { Ports } from '../ports.ts'
import type { Transaction } from '../transaction.ts'
import { guardedPaymentService } from './attempts.ts'
import { amendPayment, cancelPayment } from './change-payment.ts'
import { type CommandDependencies, createPayment } from './create-payment.ts'
import type { Answered, Idempotency, IdempotencyKeyReused, RequestInFlight } from './idempotency.ts'
import type { Discrepancy, HistoryEntry, Payment, PaymentDetails, PaymentId } from './payment.ts'
import type { PaymentServiceUnavailable, RemotePayment } from './ports/payment-service.ts'
import type { PaymentFilter, PaymentTotals } from './ports/payment-store.ts'
import { processPayment } from './process-payment.ts'
import { getPayment, listPayments, paymentHistory } from './read-payments.ts'
import { reconciler } from './reconciler.ts'
import { verifyPayment } from './verify-payment.ts'

/** There is none that the viewer may see. */
export type PaymentNotFound = Readonly<{ kind: 'payment-not-found'; id: string }>

/** The details break a rule of the domain; pointers go into the details. */
export type InvalidPayment = Readonly<{ kind: 'invalid-payment'; faults: readonly InputFault[] }>

/** The client has used this reference before. */
export type DuplicateReference = Readonly<{ kind: 'duplicate-reference'; reference: string; paymentId: PaymentId }>

/** The payment is in a state that does not allow this. */
export type PaymentStateConflict = Readonly<{ kind: 'payment-state-conflict'; action: 'amend' | 'cancel' | 'process'; payment: Payment }>

/** The payment is not what the writer last saw. */
export type StalePayment = Readonly<{ kind: 'stale-payment'; payment: Payment }>

/** Any of these versions; `null` stands for a tag that no version has. */
export type PaymentMatch = readonly (number | null)[] | 'any'

export type CreatePayment = (
  command: Readonly<{ details: PaymentDetails; caller: Caller; idempotency: Idempotency<Payment> }>,
) => ResultAsync<Answered<Payment>, InvalidPayment | DuplicateReference | IdempotencyKeyReused | RequestInFlight | StoreUnavailable>

/** Only these can be amended, and only while the payment is PENDING; what is left out stays. */
export type PaymentAmendment = Readonly<Partial<Pick<PaymentDetails, 'amount' | 'currency' | 'payee' | 'metadata'>>>

/** What a change of one payment carries. */
export type PaymentChange = Readonly<{ id: PaymentId; viewer: Viewer; caller: Caller; match: PaymentMatch }>

export type AmendPayment = (
  command: PaymentChange & Readonly<{ amendment: PaymentAmendment }>,
) => ResultAsync<Payment, PaymentNotFound | InvalidPayment | PaymentStateConflict | StalePayment | StoreUnavailable>

export type CancelPayment = (
  command: PaymentChange & Readonly<{ reason: string | null }>,
) => ResultAsync<Payment, PaymentNotFound | PaymentStateConflict | StalePayment | StoreUnavailable>

/**
 * Instructs the Payment Service, at most once for each payment. The payment answered is PROCESSING, COMPLETED, FAILED or,
 * when no answer came, UNKNOWN; what is not final is settled by its webhook or the reconciler.
 */
export type ProcessPayment = (
  command: Readonly<{ id: PaymentId; viewer: Viewer; caller: Caller; idempotency: Idempotency<Payment> }>,
) => ResultAsync<Answered<Payment>, PaymentNotFound | PaymentStateConflict | IdempotencyKeyReused | RequestInFlight | StoreUnavailable>

export type GetPayment = (viewer: Viewer, id: PaymentId) => ResultAsync<Payment, PaymentNotFound | StoreUnavailable>

export type ListPayments = (
  viewer: Viewer,
  filter: Omit<PaymentFilter, 'client'>,
  before: PaymentId | null,
  limit: number,
) => ResultAsync<Page<Payment, PaymentId>, StoreUnavailable>

export type PaymentHistory = (
  viewer: Viewer,
  id: PaymentId,
  after: number,
  limit: number,
) => ResultAsync<Page<HistoryEntry, number>, PaymentNotFound | StoreUnavailable>

/** How this service's view of a payment compares with the Payment Service's, right now. Changes nothing. */
export type Verification = Readonly<{
  payment: Payment
  verified: boolean
  /** `null`: it was never instructed, or knows nothing of it. */
  remote: RemotePayment | null
  /** What differs now, and what was found before and is still open. */
  discrepancies: readonly Omit<Discrepancy, 'resolvedAt'>[]
}>

export type VerifyPayment = (
  viewer: Viewer,
  id: PaymentId,
) => ResultAsync<Verification, PaymentNotFound | PaymentServiceUnavailable | StoreUnavailable>

/** What the payments context needs of the world. */
export type PaymentsPorts = Pick<
  Ports,
  'clock' | 'ids' | 'random' | 'digest' | 'log' | 'signals' | 'transactions' | 'paymentStore' | 'paymentService'
>

/** Counts since the start of this process. */
export type ReconcilerCounts = Readonly<{ checks: number; resolved: number; resent: number; discrepancies: number; unavailable: number }>

export type PaymentsService = Readonly<{
  create: CreatePayment
  get: GetPayment
  list: ListPayments
  amend: AmendPayment
  cancel: CancelPayment
  process: ProcessPayment
  verify: VerifyPayment
  history: PaymentHistory
  totals: () => ResultAsync<PaymentTotals, StoreUnavailable>
  reconcilerCounts: () => ReconcilerCounts
  /** Background work of an instance: asks after what is not final, and removes expired keys. Runs until cancelled. */
  reconcile: (cancel: CancelSignal) => Promise<void>
}>

/** Builds the context over its ports. */
export function paymentsService(ports: PaymentsPorts): PaymentsService {
  const { transactions, paymentStore: store, ids, clock, digest, random, signals, log } = ports
  const commands: CommandDependencies = {
    unitOfWork: unitOfWork<Transaction>({ transactions, ids, clock, random, signals }),
    ids,
    clock,
    digest,
  }
  const paymentService = guardedPaymentService(ports.paymentService, clock, log)
  const { run, counts } = reconciler({ ...commands, store, paymentService, random, log })
  return {
    create: createPayment(commands),
    get: getPayment(store),
    list: listPayments(store),
    amend: amendPayment(commands),
    cancel: cancelPayment(commands),
    process: processPayment({ ...commands, paymentService }),
    verify: verifyPayment({ store, paymentService, clock }),
    history: paymentHistory(store),
    totals: () => store.totals(),
    reconcilerCounts: counts,
    reconcile: run,
  }
}
