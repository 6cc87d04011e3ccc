import fc from 'fast-check'
import { anyCaller, anyInstant, anyText, anyUuid } from '../../kernel/testing/arbitraries.ts'
import type { IdempotencyRecord } from '../idempotency.ts'
import { amountLimit, type Currency, currencies } from '../money.ts'
import type {
  Attempt,
  Cause,
  Discrepancy,
  DiscrepancyKind,
  HistoryEntry,
  Payee,
  Payment,
  PaymentDetails,
  PaymentReference,
  PaymentStatus,
} from '../payment.ts'
import { paymentLimits } from '../payment-details.ts'
import type { Instruction, RemoteStatus } from '../ports/payment-service.ts'

export const anyPaymentStatus: fc.Arbitrary<PaymentStatus> = fc.constantFrom<PaymentStatus>(
  'PENDING',
  'PROCESSING',
  'COMPLETED',
  'FAILED',
  'UNKNOWN',
  'CANCELLED',
  'REVERSED',
)

export const anyRemoteStatus: fc.Arbitrary<RemoteStatus> = fc.constantFrom<RemoteStatus>('PROCESSING', 'COMPLETED', 'FAILED', 'REVERSED')

export const anyCurrency: fc.Arbitrary<Currency> = fc.constantFrom(...currencies)

/** In the minor unit; both ends of the range often. */
export const anyAmount: fc.Arbitrary<number> = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: amountLimit }) },
  { weight: 1, arbitrary: fc.constantFrom(1, amountLimit) },
)

/** What a person sees and nothing that controls a terminal. */
const anyPlainText: fc.Arbitrary<string> = anyText.map((text) => text.replaceAll(/\p{Cc}/gu, ''))

const anyName = (limit: number): fc.Arbitrary<string> =>
  fc.oneof({ weight: 9, arbitrary: anyPlainText.map((text) => `x${text}`.slice(0, limit).toWellFormed()) }, fc.constant('x'.repeat(limit)))

export const anyPayee: fc.Arbitrary<Payee> = fc.record({ id: anyName(paymentLimits.payeeId), name: anyName(paymentLimits.payeeName) })

/** Names of `Object.prototype` included. */
const anyMetadataName: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('invoice', 'constructor', 'to_string', 'a.b-c_d', 'z'.repeat(40)),
  fc.stringMatching(/^[a-z][a-z0-9_.-]{0,39}$/),
)

export const anyMetadata: fc.Arbitrary<PaymentDetails['metadata']> = fc
  .uniqueArray(fc.tuple(anyMetadataName, anyPlainText), { maxLength: 5, selector: ([name]) => name })
  .map((members) => Object.fromEntries(members))

export const anyPaymentDetails: fc.Arbitrary<PaymentDetails> = fc.record({
  amount: anyAmount,
  currency: anyCurrency,
  payee: anyPayee,
  userId: anyName(paymentLimits.userId),
  reference: fc.option(anyName(paymentLimits.reference)),
  metadata: anyMetadata,
})

export const anyAttempt: fc.Arbitrary<Attempt> = fc
  .tuple(anyUuid, anyInstant, fc.integer({ min: 1, max: 600_000 }))
  .map(([id, startedAt, lifeMs]) => ({ id, startedAt, notAfter: startedAt + lifeMs }))

const anyClient: fc.Arbitrary<string> = anyCaller.map(({ client }) => client)
const anyCount: fc.Arbitrary<number> = fc.integer({ min: 1, max: 1_000_000 })
const anyDetail: fc.Arbitrary<string | null> = fc.option(anyPlainText)

/** Any row that a store must keep, whether or not the domain would come to it. */
export const anyPayment: fc.Arbitrary<Payment> = fc
  .record({
    details: anyPaymentDetails,
    id: anyUuid,
    client: anyClient,
    status: anyPaymentStatus,
    version: anyCount,
    createdAt: anyInstant,
    updatedAt: anyInstant,
    attempt: fc.option(anyAttempt),
    failure: anyDetail,
    remoteReference: anyDetail,
    checkAt: fc.option(anyInstant),
    checks: fc.nat(100),
    entries: anyCount,
  })
  .map(({ details, ...facts }) => ({ ...details, ...facts }))

export const anyCause: fc.Arbitrary<Cause> = fc.constantFrom<Cause>('request', 'instruction', 'webhook', 'reconciler')

export const anyHistoryEntry: fc.Arbitrary<HistoryEntry> = fc.record({
  paymentId: anyUuid,
  number: anyCount,
  kind: fc.constantFrom<HistoryEntry['kind']>('created', 'transition', 'amended', 'ignored'),
  from: fc.option(anyPaymentStatus),
  to: anyPaymentStatus,
  version: anyCount,
  actor: anyClient,
  cause: anyCause,
  detail: anyDetail,
  requestId: fc.option(anyUuid),
  recordedAt: anyInstant,
})

export const anyPaymentReference: fc.Arbitrary<PaymentReference> = fc.record({
  client: anyClient,
  reference: anyName(paymentLimits.reference),
  paymentId: anyUuid,
})

export const anyDiscrepancy: fc.Arbitrary<Discrepancy> = fc.record({
  paymentId: anyUuid,
  kind: fc.constantFrom<DiscrepancyKind>('status', 'amount', 'currency'),
  ours: anyPlainText,
  theirs: anyPlainText,
  openedAt: anyInstant,
  resolvedAt: fc.option(anyInstant),
})

export const anyIdempotencyKey: fc.Arbitrary<string> = fc.oneof(
  anyUuid,
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 64 }).map((text) => `k${text}`),
)

/** Answers are whatever the host made of them: JSON with every escape, too. */
const anyAnswer: fc.Arbitrary<string> = anyText.map((text) => JSON.stringify({ text }))

export const anyIdempotencyRecord: fc.Arbitrary<IdempotencyRecord> = fc.record({
  client: anyClient,
  operation: fc.constantFrom<IdempotencyRecord['operation']>('create-payment', 'process-payment'),
  key: anyIdempotencyKey,
  fingerprint: fc.stringMatching(/^[0-9a-f]{64}$/),
  paymentId: anyUuid,
  answer: fc.option(anyAnswer),
  leasedUntil: anyInstant,
  expiresAt: anyInstant,
})

export const anyInstruction: fc.Arbitrary<Instruction> = fc
  .tuple(anyPaymentDetails, anyUuid, anyUuid, anyInstant)
  .map(([details, paymentId, attemptId, notAfter]) => ({ ...details, paymentId, attemptId, notAfter, traceparent: null }))
