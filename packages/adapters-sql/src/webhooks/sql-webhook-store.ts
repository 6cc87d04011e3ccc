import type { StoreUnavailable, WebhookStore } from '@cbp/core'
import type { ResultAsync } from 'neverthrow'
import { dropInBatches } from '../sql/drop-in-batches.ts'
import type { Rows, SqlEngine, SqlParameters } from '../sql/engine.ts'
import { given } from '../sql/given.ts'
import { recordCodec } from '../sql/record-kind.ts'
import { deliveryKind, laneKind, receivedWebhookKind, subscriptionKind } from './webhook-kinds.ts'
import { webhookStatements } from './webhook-statements.ts'

/** Committed subscriptions and deliveries over any SQL engine. */
export function sqlWebhookStore(engine: SqlEngine): WebhookStore {
  const sql = webhookStatements(engine.dialect)
  const subscriptions = recordCodec(subscriptionKind)
  const deliveries = recordCodec(deliveryKind)
  const lanes = recordCodec(laneKind)

  function one<T>(text: string, parameters: SqlParameters, shape: (rows: Rows) => T): ResultAsync<T, StoreUnavailable> {
    return engine.read([{ sql: text, parameters }], ([rows]) => shape(rows ?? []))
  }

  return {
    subscription: (id) => one(sql.subscription, { id }, ([row]) => (row === undefined ? null : subscriptions.decodeRow(row))),
    subscriptions: (client, before, limit) =>
      one(sql.subscriptions({ client: client !== null, before: before !== null }), { ...given({ client, before }), limit }, (rows) =>
        rows.map(subscriptions.decodeRow),
      ),
    delivery: (id) => one(sql.delivery, { id }, ([row]) => (row === undefined ? null : deliveries.decodeRow(row))),
    deliveries({ client, subscriptionId, status }, before, limit) {
      const listing = { client: client !== null, subscriptionId: subscriptionId !== null, status: status !== null, before: before !== null }
      return one(sql.deliveries(listing), { ...given({ client, subscriptionId, status, before }), limit }, (rows) =>
        rows.map(deliveries.decodeRow),
      )
    },
    dueLanes: (now, limit) => one(sql.dueLanes, { now, limit }, (rows) => rows.map(lanes.decodeRow)),
    dueDeliveries: (subscriptionId, now, limit) =>
      one(sql.dueDeliveries, { subscriptionId, now, limit }, (rows) => rows.map(deliveries.decodeRow)),
    backlog: () =>
      engine.read(
        [
          { sql: sql.pending, parameters: {} },
          { sql: sql.disabled, parameters: {} },
        ],
        ([pending, disabled]) => ({
          pending: Number(pending?.[0]?.['deliveries'] ?? 0),
          oldestDueAt: (pending?.[0]?.['oldest'] ?? null) as number | null,
          disabledSubscriptions: Number(disabled?.[0]?.['subscriptions'] ?? 0),
        }),
      ),
    dropExpiredIds: (now, limit) =>
      dropInBatches(engine, { table: receivedWebhookKind.table, expired: sql.expiredIds, drop: sql.dropId }, now, limit),
  }
}
