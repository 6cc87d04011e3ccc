import type { ResultAsync } from 'neverthrow'
import type { Instant } from '../../kernel/clock.ts'
import type { StoreUnavailable } from '../../kernel/failures.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { Records } from '../../kernel/records.ts'
import type { DeliveryStatus, WebhookDelivery } from '../delivery.ts'
import type { Lane } from '../lane.ts'
import type { ReceivedWebhook } from '../received-webhook.ts'
import type { Subscription } from '../subscription.ts'

/**
 * Whom an event may concern: subscriptions of the client of the payment and those that hear all clients; without a
 * payment those that hear the system.
 */
export type Audience = Readonly<{ paymentId: Uuid | null }>

/** Webhooks inside a unit of work. */
export type WebhookRecords = Readonly<{
  receivedWebhooks: Records<ReceivedWebhook, 'id'>
  subscriptions: Records<Subscription, 'id'>
  lanes: Records<Lane, 'subscriptionId'>
  deliveries: Records<WebhookDelivery, 'id'>
  /** Active subscriptions that an event may concern, by id; as committed, without a claim that they stay so. */
  subscribers(audience: Audience): ResultAsync<readonly Subscription[], StoreUnavailable>
  /** When the next pending delivery of a subscription is due; stays as read for a unit that has found its lane. */
  nextDue(subscriptionId: Uuid): ResultAsync<Instant | null, StoreUnavailable>
  /** Pending deliveries of a subscription, at most `limit`, the earliest due first; stay as read like `nextDue`. */
  pendingDeliveries(subscriptionId: Uuid, limit: number): ResultAsync<readonly WebhookDelivery[], StoreUnavailable>
}>

export type DeliveryFilter = Readonly<{
  /** `null`: of every client. */
  client: string | null
  subscriptionId: Uuid | null
  status: DeliveryStatus | null
}>

export type DeliveryBacklog = Readonly<{ pending: number; oldestDueAt: Instant | null; disabledSubscriptions: number }>

/** Port: committed subscriptions and deliveries, read outside of units of work. */
export interface WebhookStore {
  subscription(id: Uuid): ResultAsync<Subscription | null, StoreUnavailable>
  /** Newest first (by id, descending), at most `limit`, all before `before` where it is given; without deleted ones. */
  subscriptions(client: string | null, before: Uuid | null, limit: number): ResultAsync<readonly Subscription[], StoreUnavailable>
  delivery(id: Uuid): ResultAsync<WebhookDelivery | null, StoreUnavailable>
  /** Newest first (by id, descending), at most `limit`, all before `before` where it is given. */
  deliveries(filter: DeliveryFilter, before: Uuid | null, limit: number): ResultAsync<readonly WebhookDelivery[], StoreUnavailable>
  /** Lanes that are due and leased to nobody, the earliest due first. */
  dueLanes(now: Instant, limit: number): ResultAsync<readonly Lane[], StoreUnavailable>
  /** Pending deliveries of one subscription that are due, the earliest first. */
  dueDeliveries(subscriptionId: Uuid, now: Instant, limit: number): ResultAsync<readonly WebhookDelivery[], StoreUnavailable>
  backlog(): ResultAsync<DeliveryBacklog, StoreUnavailable>
  /** Removes received ids that expired at or before `now`, at most `limit`; answers how many. */
  dropExpiredIds(now: Instant, limit: number): ResultAsync<number, StoreUnavailable>
}
