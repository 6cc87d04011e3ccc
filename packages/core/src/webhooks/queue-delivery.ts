import { err, ok, type Result } from 'neverthrow'
import type { Instant } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Transaction } from '../transaction.ts'
import type { WebhookDelivery } from './delivery.ts'
import { emptyLane, laneWith } from './lane.ts'

export type QueuedMessage = Pick<
  WebhookDelivery,
  'id' | 'subscriptionId' | 'client' | 'type' | 'event' | 'body' | 'replayOf' | 'replayed' | 'traceparent'
>

/** A delivery that has not been tried. */
export function newDelivery(message: QueuedMessage, now: Instant, dueAt: Instant): WebhookDelivery {
  return { ...message, status: 'pending', attempts: [], dueAt, createdAt: now, endedAt: null }
}

/** Records a delivery together with its lane. */
export async function queueDelivery(tx: Transaction, delivery: WebhookDelivery): Promise<Result<void, StoreUnavailable>> {
  const { subscriptionId } = delivery
  const lane = await tx.lanes.find({ subscriptionId })
  if (lane.isErr()) return err(lane.error)
  tx.deliveries.insert(delivery)
  const dueAt = delivery.dueAt ?? delivery.createdAt
  if (lane.value === null) tx.lanes.insert(laneWith(emptyLane(subscriptionId), dueAt))
  else tx.lanes.update(laneWith(lane.value, dueAt))
  return ok()
}
