import type { DeliveryFilter } from '@cbp/core'
import type { Dialect } from '../sql/engine.ts'
import { newestFirst, residual } from '../sql/newest-first.ts'
import { columnsOf } from '../sql/record-kind.ts'
import { recordStatements } from '../sql/record-statements.ts'
import { deliveryKind, deliveryStatuses, laneKind, receivedWebhookKind, subscriptionKind } from './webhook-kinds.ts'

/** Which parts of a filter are given. */
export type DeliveryListing = Readonly<Record<keyof DeliveryFilter | 'before', boolean>>

export type WebhookStatements = Readonly<{
  subscription: string
  subscriptions: (given: Readonly<{ client: boolean; before: boolean }>) => string
  delivery: string
  deliveries: (given: DeliveryListing) => string
  dueLanes: string
  dueDeliveries: string
  pending: string
  disabled: string
  expiredIds: string
  dropId: string
}>

/** Reads of the store, outside of units. */
export function webhookStatements(dialect: Dialect): WebhookStatements {
  const limit = dialect.limit('@limit')
  return {
    subscription: recordStatements(subscriptionKind).find,
    subscriptions({ client, before }) {
      const branches = ['active', 'disabled'].map((status) => `${client ? 'client = @client AND ' : ''}status = '${status}'`)
      return newestFirst(dialect, subscriptionKind, branches, before ? ['id < @before'] : [])
    },
    delivery: recordStatements(deliveryKind).find,
    deliveries: (given) => newestFirst(dialect, deliveryKind, branchesOf(given), conditionsOf(given)),
    dueLanes: `SELECT ${columnsOf(laneKind)} FROM webhook_lanes
      WHERE due_at <= @now AND (leased_until IS NULL OR leased_until <= @now) ORDER BY due_at, subscription_id ${limit}`,
    dueDeliveries: `SELECT ${columnsOf(deliveryKind)} FROM webhook_deliveries
      WHERE subscription_id = @subscriptionId AND status = 'pending' AND due_at <= @now ORDER BY due_at, id ${limit}`,
    pending: `SELECT COUNT(*) AS deliveries, MIN(due_at) AS oldest FROM webhook_deliveries WHERE status = 'pending'`,
    disabled: `SELECT COUNT(*) AS subscriptions FROM subscriptions WHERE status = 'disabled'`,
    expiredIds: `SELECT id FROM received_webhooks WHERE expires_at <= @now ORDER BY expires_at ${limit}`,
    dropId: recordStatements(receivedWebhookKind).drop,
  }
}

export type WebhookReads = Readonly<{
  subscribersToPayment: string
  subscribersToSystem: string
  /** The lanes of those, as rows to update. */
  lanesOfPayment: string
  lanesOfSystem: string
  nextDue: string
  pendingDeliveries: string
}>

/** Reads of a unit of work, besides the rows under a key. */
export function webhookReads(dialect: Dialect): WebhookReads {
  const all = columnsOf(subscriptionKind)
  const lanes = `SELECT ${columnsOf(laneKind)} FROM webhook_lanes ${dialect.forUpdate} WHERE subscription_id IN`
  const ofPayment = `(SELECT p.client FROM payments p WHERE p.id = @paymentId)`
  // Few hear more than their own client, and every event asks for them: not to be looked for among all that are active.
  const isActive = `COALESCE(status, '') = 'active'`
  const toPayment = (columns: string): string => `SELECT ${columns} FROM subscriptions
      WHERE client = ${ofPayment} AND status = 'active' AND all_clients = 0
      UNION ALL SELECT ${columns} FROM subscriptions WHERE all_clients = 1 AND ${isActive}`
  const toSystem = (columns: string): string => `SELECT ${columns} FROM subscriptions WHERE hears_system = 1 AND ${isActive}`
  return {
    subscribersToPayment: `${toPayment(all)} ORDER BY id`,
    subscribersToSystem: `${toSystem(all)} ORDER BY id`,
    lanesOfPayment: `${lanes} (${toPayment('id')}) ORDER BY subscription_id`,
    lanesOfSystem: `${lanes} (${toSystem('id')}) ORDER BY subscription_id`,
    nextDue: `SELECT MIN(due_at) AS due_at FROM webhook_deliveries WHERE subscription_id = @subscriptionId AND status = 'pending'`,
    pendingDeliveries: `SELECT ${columnsOf(deliveryKind)} FROM webhook_deliveries ${dialect.forUpdate}
      WHERE subscription_id = @subscriptionId AND status = 'pending' ORDER BY due_at, id ${dialect.limit('@limit')}`,
  }
}

/** A subscription has fewer deliveries than its client. */
function branchesOf({ client, subscriptionId, status }: DeliveryListing): readonly string[] {
  const owner = subscriptionId ? 'subscription_id = @subscriptionId' : client ? 'client = @client' : ''
  if (owner === '') return [status ? 'status = @status' : '']
  return status ? [`${owner} AND status = @status`] : deliveryStatuses.map((each) => `${owner} AND status = '${each}'`)
}

function conditionsOf({ client, subscriptionId, before }: DeliveryListing): readonly string[] {
  return [client && subscriptionId ? residual('client', '@client') : '', before ? 'id < @before' : '']
}
