import type { PaymentFilter } from '@cbp/core'
import type { Dialect } from '../sql/engine.ts'
import { newestFirst, residual } from '../sql/newest-first.ts'
import { columnsOf } from '../sql/record-kind.ts'
import { type RecordStatements, recordStatements } from '../sql/record-statements.ts'
import { discrepancyKind, historyKind, idempotencyKind, paymentKind, paymentStatuses } from './payment-kinds.ts'

/** Which parts of a filter are given. */
export type PaymentListing = Readonly<Record<keyof PaymentFilter | 'before', boolean>>

export type PaymentStatements = Readonly<{
  payment: string
  payments: (given: PaymentListing) => string
  history: string
  discrepancies: string
  dueForCheck: string
  totals: string
  openDiscrepancies: string
  expiredKeys: string
  dropKey: string
}>

export function paymentStatements(dialect: Dialect): PaymentStatements {
  const keys: RecordStatements = recordStatements(idempotencyKind)
  return {
    payment: recordStatements(paymentKind).find,
    payments: (given) => newestFirst(dialect, paymentKind, branchesOf(given), conditionsOf(given)),
    history: `SELECT ${columnsOf(historyKind)} FROM payment_history
      WHERE payment_id = @paymentId AND number > @after ORDER BY number ${dialect.limit('@limit')}`,
    discrepancies: `SELECT ${columnsOf(discrepancyKind)} FROM discrepancies WHERE payment_id = @paymentId ORDER BY kind`,
    dueForCheck: `SELECT id FROM payments WHERE check_at <= @now ORDER BY check_at, id ${dialect.limit('@limit')}`,
    totals: 'SELECT status, payments FROM payment_totals WHERE payments > 0',
    openDiscrepancies: 'SELECT COUNT(*) AS discrepancies FROM discrepancies WHERE resolved_at IS NULL',
    expiredKeys: `SELECT client, operation, [key] FROM idempotency_keys WHERE expires_at <= @now
      ORDER BY expires_at ${dialect.limit('@limit')}`,
    dropKey: keys.drop,
  }
}

/** A user has fewer payments than a client, and a status of one client fewer than that status of all. */
function branchesOf({ client, status, userId }: PaymentListing): readonly string[] {
  if (userId) return ['user_id = @userId']
  if (client && status) return ['client = @client AND status = @status']
  if (client) return paymentStatuses.map((each) => `client = @client AND status = '${each}'`)
  return [status ? 'status = @status' : '']
}

function conditionsOf({ client, status, userId, from, to, before }: PaymentListing): readonly string[] {
  return [
    userId && client ? residual('client', '@client') : '',
    userId && status ? residual('status', '@status') : '',
    from ? 'created_at >= @from AND id >= (SELECT MIN(first_id) FROM payment_hours WHERE [hour] >= @fromHour)' : '',
    to ? 'created_at < @to' : '',
    // One upper bound is all that an index takes, and a later page begins at the tighter one.
    to && !before ? 'id <= (SELECT MAX(last_id) FROM payment_hours WHERE [hour] <= @toHour)' : '',
    before ? 'id < @before' : '',
  ]
}
