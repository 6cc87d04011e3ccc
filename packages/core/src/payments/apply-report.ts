import type { ResultAsync } from 'neverthrow'
import type { Clock, Instant } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { Transaction } from '../transaction.ts'
import type { Cause, PaymentId } from './payment.ts'
import type { RemoteStatus } from './ports/payment-service.ts'

/** What the Payment Service says of a payment, by whichever way it says it. */
export type StatusReport = Readonly<{
  paymentId: PaymentId
  status: RemoteStatus
  /** When it came to be there; `null` where that is not said. */
  occurredAt: Instant | null
  /** Its own name for the payment. */
  reference: string | null
  reason: string | null
  cause: Cause
  requestId: string | null
  traceparent: string | null
}>

/** `null`: there is no such payment. */
export type ReportOutcome = 'effect' | 'recorded' | null

/**
 * Records on `tx` what a report means: a listed transition with its event, or a history entry without effect, and a
 * discrepancy where the two services now disagree (L8, L9).
 */
export type ApplyReport = (
  deps: Readonly<{ ids: IdSource; clock: Clock }>,
  tx: Transaction,
  report: StatusReport,
) => ResultAsync<ReportOutcome, StoreUnavailable>
