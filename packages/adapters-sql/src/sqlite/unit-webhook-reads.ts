import type { Audience, Instant, Subscription, Uuid, WebhookDelivery } from '@cbp/core'
import { recordCodec } from '../sql/record-kind.ts'
import { deliveryKind, subscriptionKind } from '../webhooks/webhook-kinds.ts'
import { webhookReads } from '../webhooks/webhook-statements.ts'
import type { Connection } from './connection.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

/** What a unit of work reads of webhooks besides rows under a key. */
export type UnitWebhookReads = Readonly<{
  subscribers(audience: Audience): readonly Subscription[]
  nextDue(subscriptionId: Uuid): Instant | null
  pendingDeliveries(subscriptionId: Uuid, limit: number): readonly WebhookDelivery[]
}>

export function unitWebhookReads(connection: Connection): UnitWebhookReads {
  const sql = webhookReads(sqliteDialect)
  const subscriptions = recordCodec(subscriptionKind)
  const deliveries = recordCodec(deliveryKind)
  const nextDue = connection.prepare(sql.nextDue)
  return {
    subscribers({ paymentId }) {
      const statement =
        paymentId === null ? { sql: sql.subscribersToSystem, parameters: {} } : { sql: sql.subscribersToPayment, parameters: { paymentId } }
      return connection.all(statement).map(subscriptions.decodeRow)
    },
    nextDue: (subscriptionId) => (nextDue.first(subscriptionId)?.[0] ?? null) as Instant | null,
    pendingDeliveries: (subscriptionId, limit) =>
      connection.all({ sql: sql.pendingDeliveries, parameters: { subscriptionId, limit } }).map(deliveries.decodeRow),
  }
}
