import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock, Instant } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { ended, type WebhookDelivery } from './delivery.ts'
import { emptyLane, type Lane, laneUntil, wellAgain } from './lane.ts'
import type { Tally } from './webhook-counts.ts'

const batchSize = 100

/** `more`: there may be others left. */
export type Cancelled = Readonly<{ count: number; more: boolean }>

const noneKept: ReadonlySet<Uuid> = new Set()

/** A lane, and the first of what is pending in it. */
export type InLane = Readonly<{ lane: Lane | null; pending: readonly WebhookDelivery[] }>

/** Asks for both at once. */
export async function findInLane(tx: Transaction, subscriptionId: Uuid): Promise<Result<InLane, StoreUnavailable>> {
  const [lane, pending] = await Promise.all([tx.lanes.find({ subscriptionId }), tx.pendingDeliveries(subscriptionId, batchSize)])
  if (lane.isErr()) return err(lane.error)
  return pending.map((deliveries) => ({ lane: lane.value, pending: deliveries }))
}

/**
 * Cancels what is pending of one subscription, a bounded number at a time, except what the unit itself settles. For a
 * unit that has found the lane; records no lane.
 */
export async function cancelBatch(
  tx: Transaction,
  subscriptionId: Uuid,
  now: Instant,
  settled: ReadonlySet<Uuid>,
): Promise<Result<Cancelled, StoreUnavailable>> {
  const limit = batchSize + settled.size
  const pending = await tx.pendingDeliveries(subscriptionId, limit)
  return pending.isErr() ? err(pending.error) : cancelFound(tx, pending.value, limit, now, settled)
}

async function cancelFound(
  tx: Transaction,
  pending: readonly WebhookDelivery[],
  limit: number,
  now: Instant,
  settled: ReadonlySet<Uuid> = noneKept,
): Promise<Result<Cancelled, StoreUnavailable>> {
  // Found as well, so that a try recorded at the same time is met as contention.
  const all = await Promise.all(pending.filter(({ id }) => !settled.has(id)).map(({ id }) => tx.deliveries.find({ id })))
  let count = 0
  for (const delivery of all) {
    if (delivery.isErr()) return err(delivery.error)
    if (delivery.value?.status !== 'pending') continue
    tx.deliveries.update(ended(delivery.value, 'cancelled', now))
    count += 1
  }
  return ok({ count, more: pending.length === limit })
}

/** Cancels one batch and sets the lane of a subscription that sends no more: due at once while there is more to cancel. */
export async function cancelInLane(
  tx: Transaction,
  subscriptionId: Uuid,
  { lane: found, pending }: InLane,
  now: Instant,
): Promise<Result<Cancelled, StoreUnavailable>> {
  const cancelled = await cancelFound(tx, pending, batchSize, now)
  if (cancelled.isErr()) return err(cancelled.error)
  const lane = laneUntil(wellAgain(found ?? emptyLane(subscriptionId)), cancelled.value.more ? now : null)
  if (found === null) tx.lanes.insert(lane)
  else tx.lanes.update(lane)
  return cancelled
}

/** Unit after unit until none is pending. What a failing store leaves, the dispatcher finds in its lane. */
export async function cancelRest(
  { unitOfWork, clock, tally }: Readonly<{ unitOfWork: UnitOfWork<Transaction>; clock: Clock; tally: Tally }>,
  subscriptionId: Uuid,
): Promise<void> {
  for (let more = true; more; ) {
    const committed = await unitOfWork.run((tx) => new ResultAsync(cancelUnlessActive(tx, subscriptionId, clock.now())))
    if (committed.isErr()) return
    tally.cancelled += committed.value.value.count
    more = committed.value.value.more
  }
}

/** Its owner may have enabled it again meanwhile. */
async function cancelUnlessActive(tx: Transaction, id: Uuid, now: Instant): Promise<Result<Cancelled, StoreUnavailable>> {
  const [subscription, found] = await Promise.all([tx.subscriptions.find({ id }), findInLane(tx, id)])
  if (subscription.isErr()) return err(subscription.error)
  if (found.isErr()) return err(found.error)
  return subscription.value?.status === 'active' ? ok({ count: 0, more: false }) : cancelInLane(tx, id, found.value, now)
}
