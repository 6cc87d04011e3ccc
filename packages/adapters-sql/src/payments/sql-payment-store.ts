import type { PaymentId, PaymentStatus, PaymentStore, StoreUnavailable } from '@cbp/core'
import type { ResultAsync } from 'neverthrow'
import { dropInBatches } from '../sql/drop-in-batches.ts'
import type { Rows, SqlEngine, SqlParameters } from '../sql/engine.ts'
import { given } from '../sql/given.ts'
import { hourOf } from '../sql/hour-of.ts'
import { recordCodec } from '../sql/record-kind.ts'
import { discrepancyKind, historyKind, idempotencyKind, paymentKind } from './payment-kinds.ts'
import { paymentStatements } from './payment-statements.ts'

/** Committed payments over any SQL engine. */
export function sqlPaymentStore(engine: SqlEngine): PaymentStore {
  const sql = paymentStatements(engine.dialect)
  const payments = recordCodec(paymentKind)
  const history = recordCodec(historyKind)
  const discrepancies = recordCodec(discrepancyKind)

  function one<T>(text: string, parameters: SqlParameters, shape: (rows: Rows) => T): ResultAsync<T, StoreUnavailable> {
    return engine.read([{ sql: text, parameters }], ([rows]) => shape(rows ?? []))
  }

  return {
    payment: (id) => one(sql.payment, { id }, ([row]) => (row === undefined ? null : payments.decodeRow(row))),
    payments({ client, status, userId, from, to }, before, limit) {
      const parameters = given({ client, status, userId, from, fromHour: from && hourOf(from), to, toHour: to && hourOf(to), before })
      const listing = {
        client: client !== null,
        status: status !== null,
        userId: userId !== null,
        from: from !== null,
        to: to !== null,
        before: before !== null,
      }
      return one(sql.payments(listing), { ...parameters, limit }, (rows) => rows.map(payments.decodeRow))
    },
    history: (paymentId, after, limit) => one(sql.history, { paymentId, after, limit }, (rows) => rows.map(history.decodeRow)),
    discrepancies: (paymentId) => one(sql.discrepancies, { paymentId }, (rows) => rows.map(discrepancies.decodeRow)),
    dueForCheck: (now, limit) => one(sql.dueForCheck, { now, limit }, (rows) => rows.map((row) => row['id'] as PaymentId)),
    totals: () =>
      engine.read(
        [
          { sql: sql.totals, parameters: {} },
          { sql: sql.openDiscrepancies, parameters: {} },
        ],
        ([totals, open]) => ({
          byStatus: Object.fromEntries((totals ?? []).map((row) => [row['status'] as PaymentStatus, row['payments'] as number])),
          openDiscrepancies: Number(open?.[0]?.['discrepancies'] ?? 0),
        }),
      ),
    dropExpiredKeys: (now, limit) =>
      dropInBatches(engine, { table: idempotencyKind.table, expired: sql.expiredKeys, drop: sql.dropKey }, now, limit),
  }
}
