import type { Instant } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Currency } from './money.ts'

export type PaymentId = Uuid

export type PaymentStatus = 'PENDING' | 'PROCESSING' | 'COMPLETED' | 'FAILED' | 'UNKNOWN' | 'CANCELLED' | 'REVERSED'

export type Payee = Readonly<{ id: string; name: string }>

/**
 * The one instruction of a payment to the Payment Service. `id` is its Idempotency-Key there: sent again, it is the same
 * instruction. After `notAfter` the service begins it no more.
 */
export type Attempt = Readonly<{ id: Uuid; startedAt: Instant; notAfter: Instant }>

export type PaymentDetails = Readonly<{
  /** In the currency's minor unit (ISO 4217), at least 1. */
  amount: number
  currency: Currency
  payee: Payee
  userId: string
  /** The client's own name for the payment, unique among its payments for ever. */
  reference: string | null
  metadata: Readonly<Record<string, string>>
}>

export type Payment = PaymentDetails &
  Readonly<{
    id: PaymentId
    /** Whose it is. */
    client: string
    status: PaymentStatus
    /** 1, 2, 3 … with every change that its client can see. */
    version: number
    createdAt: Instant
    updatedAt: Instant
    attempt: Attempt | null
    /** Why it failed, in words for its client. */
    failure: string | null
    /** The Payment Service's own name for it. */
    remoteReference: string | null
    /** When the reconciler asks next; `null` when there is nothing to ask. */
    checkAt: Instant | null
    /** How often it has asked since the last change. */
    checks: number
    /** Entries in its history so far. */
    entries: number
  }>

/** What made a history entry: a client's request, the answer to an instruction, an inbound webhook, or the reconciler. */
export type Cause = 'request' | 'instruction' | 'webhook' | 'reconciler'

/** One line of a payment's history. An `ignored` report changed nothing: late, repeated or impossible. */
export type HistoryEntry = Readonly<{
  paymentId: PaymentId
  /** 1, 2, 3 … within the payment. */
  number: number
  kind: 'created' | 'transition' | 'amended' | 'ignored'
  from: PaymentStatus | null
  to: PaymentStatus
  /** The payment's version afterwards. */
  version: number
  /** The client, or `payment-service`, or `reconciler`. */
  actor: string
  cause: Cause
  detail: string | null
  requestId: string | null
  recordedAt: Instant
}>

/** `(client, reference)` is taken once and for ever. */
export type PaymentReference = Readonly<{ client: string; reference: string; paymentId: PaymentId }>

export type DiscrepancyKind = 'status' | 'amount' | 'currency'

/** Where this service and the Payment Service disagree: at most one of a kind for each payment. */
export type Discrepancy = Readonly<{
  paymentId: PaymentId
  kind: DiscrepancyKind
  ours: string
  theirs: string
  openedAt: Instant
  /** `null` while it is open. */
  resolvedAt: Instant | null
}>
