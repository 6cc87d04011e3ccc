import type { ResultAsync } from 'neverthrow'
import type { Instant } from '../../kernel/clock.ts'
import type { StoreUnavailable } from '../../kernel/failures.ts'
import type { Records } from '../../kernel/records.ts'
import type { IdempotencyRecord } from '../idempotency.ts'
import type { Discrepancy, HistoryEntry, Payment, PaymentId, PaymentReference, PaymentStatus } from '../payment.ts'

export type PaymentFilter = Readonly<{
  /** `null`: of every client. */
  client: string | null
  status: PaymentStatus | null
  userId: string | null
  /** Created at or after. */
  from: Instant | null
  /** Created before. */
  to: Instant | null
}>

/** Payments inside a unit of work. */
export type PaymentRecords = Readonly<{
  payments: Records<Payment, 'id'>
  paymentReferences: Records<PaymentReference, 'client' | 'reference'>
  paymentHistory: Records<HistoryEntry, 'paymentId' | 'number'>
  discrepancies: Records<Discrepancy, 'paymentId' | 'kind'>
  idempotencyKeys: Records<IdempotencyRecord, 'client' | 'operation' | 'key'>
}>

export type PaymentTotals = Readonly<{
  byStatus: Readonly<Partial<Record<PaymentStatus, number>>>
  openDiscrepancies: number
}>

/**
 * Port: committed payments, read outside of units of work. Each read sees every unit whose commit was answered before it
 * began.
 */
export interface PaymentStore {
  payment(id: PaymentId): ResultAsync<Payment | null, StoreUnavailable>
  /** Newest first (by id, descending), at most `limit`, all before `before` where it is given. */
  payments(filter: PaymentFilter, before: PaymentId | null, limit: number): ResultAsync<readonly Payment[], StoreUnavailable>
  /** By number, at most `limit`, all after `after`. */
  history(id: PaymentId, after: number, limit: number): ResultAsync<readonly HistoryEntry[], StoreUnavailable>
  /** By kind, resolved ones included. */
  discrepancies(id: PaymentId): ResultAsync<readonly Discrepancy[], StoreUnavailable>
  /** Payments whose `checkAt` has come, the earliest first. */
  dueForCheck(now: Instant, limit: number): ResultAsync<readonly PaymentId[], StoreUnavailable>
  totals(): ResultAsync<PaymentTotals, StoreUnavailable>
  /** Removes idempotency keys that expired at or before `now`, at most `limit`; answers how many. */
  dropExpiredKeys(now: Instant, limit: number): ResultAsync<number, StoreUnavailable>
}
