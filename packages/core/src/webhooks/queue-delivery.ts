import type { Instant } from '../kernel/clock.ts'
import type { Transaction } from '../transaction.ts'
import type { WebhookDelivery } from './delivery.ts'
import { emptyLane, type Lane, laneWith } from './lane.ts'

export type QueuedMessage = Pick<
  WebhookDelivery,
  'id' | 'subscriptionId' | 'client' | 'type' | 'event' | 'body' | 'replayOf' | 'replayed' | 'traceparent'
>

/** A delivery that has not been tried. */
export function newDelivery(message: QueuedMessage, now: Instant, dueAt: Instant): WebhookDelivery {
  return { ...message, status: 'pending', attempts: [], dueAt, createdAt: now, endedAt: null }
}

/** Records a delivery together with its lane as this unit has found it. */
export function queueDelivery(tx: Transaction, lane: Lane | null, delivery: WebhookDelivery): void {
  tx.deliveries.insert(delivery)
  const dueAt = delivery.dueAt ?? delivery.createdAt
  if (lane === null) tx.lanes.insert(laneWith(emptyLane(delivery.subscriptionId), dueAt))
  else tx.lanes.update(laneWith(lane, dueAt))
}
