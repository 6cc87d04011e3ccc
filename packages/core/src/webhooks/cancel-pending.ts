import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock, Instant } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { ended } from './delivery.ts'
import { emptyLane, laneUntil, wellAgain } from './lane.ts'
import type { Tally } from './webhook-counts.ts'

const batchSize = 100

/** `more`: there may be others left. */
export type Cancelled = Readonly<{ count: number; more: boolean }>

const noneKept: ReadonlySet<Uuid> = new Set()

/**
 * Cancels what is pending of one subscription, a bounded number at a time, except what the unit itself settles. For a
 * unit that has found the lane; records no lane.
 */
export async function cancelBatch(
  tx: Transaction,
  subscriptionId: Uuid,
  now: Instant,
  settled: ReadonlySet<Uuid> = noneKept,
): Promise<Result<Cancelled, StoreUnavailable>> {
  const limit = batchSize + settled.size
  const pending = await tx.pendingDeliveries(subscriptionId, limit)
  if (pending.isErr()) return err(pending.error)
  let count = 0
  for (const { id } of pending.value) {
    if (settled.has(id)) continue
    // Found as well, so that a try recorded at the same time is met as contention.
    const delivery = await tx.deliveries.find({ id })
    if (delivery.isErr()) return err(delivery.error)
    if (delivery.value?.status !== 'pending') continue
    tx.deliveries.update(ended(delivery.value, 'cancelled', now))
    count += 1
  }
  return ok({ count, more: pending.value.length === limit })
}

/** Cancels one batch and sets the lane of a subscription that sends no more: due at once while there is more to cancel. */
export async function cancelInLane(tx: Transaction, subscriptionId: Uuid, now: Instant): Promise<Result<Cancelled, StoreUnavailable>> {
  const found = await tx.lanes.find({ subscriptionId })
  if (found.isErr()) return err(found.error)
  const cancelled = await cancelBatch(tx, subscriptionId, now)
  if (cancelled.isErr()) return err(cancelled.error)
  const lane = laneUntil(wellAgain(found.value ?? emptyLane(subscriptionId)), cancelled.value.more ? now : null)
  if (found.value === null) tx.lanes.insert(lane)
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
  const subscription = await tx.subscriptions.find({ id })
  if (subscription.isErr()) return err(subscription.error)
  return subscription.value?.status === 'active' ? ok({ count: 0, more: false }) : cancelInLane(tx, id, now)
}
