import { err, ok, type Result } from 'neverthrow'
import type { Stream } from '../events/index.ts'
import { type Instant, timestamp } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource, Uuid } from '../kernel/ids.ts'
import { maskText } from '../kernel/masking.ts'
import type { Transaction } from '../transaction.ts'
import { cancelBatch, cancelInLane, findInLane } from './cancel-pending.ts'
import { afterTry, ended, holds, isGone, type RetryPolicy, succeeded, type Tried, type WebhookDelivery } from './delivery.ts'
import { hasFailedTooLong, isFree, type Lane, laneAfterTry, laneFreed, sameLane, wellAgain } from './lane.ts'
import { disabled, hostOf, type Subscription } from './subscription.ts'
import type { Tally } from './webhook-counts.ts'

/** Proof of a lease: nobody has taken the lane since, while it carries this fence. */
export type LaneLease = Readonly<{ subscriptionId: Uuid; fence: number }>

export type Leased = Readonly<{ kind: 'leased'; lane: Lane; subscription: Subscription }>
/** Its subscription sends no more; what was pending is cancelled. */
export type Cleared = Readonly<{ kind: 'cleared'; cancelled: number }>

/** Takes a lane that is due and free; `null`: it is not, any more. */
export async function leaseLane(
  tx: Transaction,
  subscriptionId: Uuid,
  now: Instant,
  leaseMs: number,
): Promise<Result<Leased | Cleared | null, StoreUnavailable>> {
  // Before the lane, here as everywhere: units that lock rows in one order do not wait for each other in a ring.
  const [subscription, lane] = await Promise.all([tx.subscriptions.find({ id: subscriptionId }), tx.lanes.find({ subscriptionId })])
  if (subscription.isErr()) return err(subscription.error)
  if (lane.isErr()) return err(lane.error)
  if (lane.value === null || !isFree(lane.value, now)) return ok(null)
  if (subscription.value?.status !== 'active') {
    const found = await findInLane(tx, subscriptionId)
    if (found.isErr()) return err(found.error)
    const cancelled = await cancelInLane(tx, subscriptionId, found.value, now)
    return cancelled.map(({ count }): Cleared => ({ kind: 'cleared', cancelled: count }))
  }
  const leased = { ...lane.value, fence: lane.value.fence + 1, leasedUntil: now + leaseMs }
  tx.lanes.update(leased)
  return ok({ kind: 'leased', lane: leased, subscription: subscription.value })
}

/** Prolongs a lease; `null`: fenced out. */
export async function renewLane(
  tx: Transaction,
  lease: LaneLease,
  now: Instant,
  leaseMs: number,
): Promise<Result<Lane | null, StoreUnavailable>> {
  const lane = await findLeased(tx, lease)
  if (lane.isErr() || lane.value === null) return lane
  const renewed = { ...lane.value, leasedUntil: now + leaseMs }
  tx.lanes.update(renewed)
  return ok(renewed)
}

/** Frees a lane, to be looked at when its next delivery is due; a sender who was fenced out frees nothing. */
export async function giveBackLane(tx: Transaction, lease: LaneLease, now: Instant): Promise<Result<void, StoreUnavailable>> {
  const [lane, nextDue] = await Promise.all([findLeased(tx, lease), tx.nextDue(lease.subscriptionId)])
  if (lane.isErr()) return err(lane.error)
  if (nextDue.isErr()) return err(nextDue.error)
  if (lane.value === null) return ok()
  tx.lanes.update(laneFreed(lane.value, nextDue.value, now))
  return ok()
}

export type TriesRecorded = Readonly<{
  lane: Lane
  subscription: Subscription | null
  counted: Pick<Tally, 'delivered' | 'failed' | 'exhausted' | 'cancelled' | 'disabled'>
}>

type Recording = Readonly<{
  ids: IdSource
  policy: RetryPolicy
  now: Instant
  /** The sender has nothing else in hand and gives the lane back with this unit. */
  release: boolean
}>

type Settled = Readonly<{ before: WebhookDelivery; after: WebhookDelivery; tried: Tried }>

/**
 * Records what was tried under one lease, and what follows from it: how the endpoint fares, and whether the subscription
 * is disabled. `null`: fenced out, nothing is recorded.
 */
export async function recordTries(
  tx: Transaction,
  lease: LaneLease,
  tries: readonly Tried[],
  recording: Recording,
): Promise<Result<TriesRecorded | null, StoreUnavailable>> {
  const { subscriptionId } = lease
  const { now, policy } = recording
  // At once, because each question may be a round trip.
  const [subscription, found, pending, ...deliveries] = await Promise.all([
    tx.subscriptions.find({ id: subscriptionId }),
    findLeased(tx, lease),
    recording.release ? tx.pendingDeliveries(subscriptionId, tries.length + 1) : ok([]),
    ...tries.map(({ deliveryId }) => tx.deliveries.find({ id: deliveryId })),
  ])
  if (subscription.isErr()) return err(subscription.error)
  if (found.isErr()) return err(found.error)
  if (pending.isErr()) return err(pending.error)
  if (found.value === null) return ok(null)
  const settled: Settled[] = []
  for (const [index, delivery] of deliveries.entries()) {
    if (delivery.isErr()) return err(delivery.error)
    const tried = tries[index]
    if (tried === undefined || delivery.value === null || holds(delivery.value, tried)) continue
    settled.push({ before: delivery.value, after: afterTry(delivery.value, tried, policy, now), tried })
  }
  // How it fared where it pointed before its owner changed the URL says nothing of where it points now.
  const telling = settled.map(({ tried }) => tried).filter(({ url }) => url === subscription.value?.url)
  let lane = telling.reduce((before, tried) => laneAfterTry(before, tried, now), found.value)
  const because = whyDisabled(subscription.value, telling, lane, now)
  const sender = subscription.value !== null && because !== null ? disabled(subscription.value, because, now) : subscription.value
  const sends = sender?.status === 'active'
  const recorded = settled.map(({ before, after }) => ({
    before,
    after: sends || after.dueAt === null ? after : ended(after, 'cancelled', now),
  }))
  for (const { after } of recorded) tx.deliveries.update(after)
  let cancelled = 0
  if (!sends) lane = wellAgain(lane)
  if (sender !== null && because !== null) {
    tx.subscriptions.update(sender)
    appendAlert(tx, recording.ids, sender, because, now)
    const rest = await cancelBatch(tx, subscriptionId, now, new Set(tries.map(({ deliveryId }) => deliveryId)))
    if (rest.isErr()) return err(rest.error)
    cancelled = rest.value.count
    // Not given back with this unit: what it has just cancelled is still pending for its own reads.
  } else if (recording.release) {
    const own = recorded.map(({ after }) => after)
    lane = freeLane(lane, pending.value, own, now)
  }
  if (!sameLane(lane, found.value)) tx.lanes.update(lane)
  const counted = { ...countEnds(recorded, settled), disabled: because === null ? 0 : 1 }
  return ok({ lane, subscription: sender, counted: { ...counted, cancelled: counted.cancelled + cancelled } })
}

async function findLeased(tx: Transaction, { subscriptionId, fence }: LaneLease): Promise<Result<Lane | null, StoreUnavailable>> {
  const lane = await tx.lanes.find({ subscriptionId })
  return lane.map((found) => (found?.fence === fence ? found : null))
}

/** Free, and due with the earliest of what is pending: beside the rows of this unit, whose new state it cannot read. */
function freeLane(lane: Lane, pending: readonly WebhookDelivery[], own: readonly WebhookDelivery[], now: Instant): Lane {
  const others = pending.filter(({ id }) => !own.some((each) => each.id === id))
  const due = [...others, ...own].flatMap(({ dueAt }) => dueAt ?? [])
  return laneFreed(lane, due.length === 0 ? null : Math.min(...due), now)
}

function whyDisabled(subscription: Subscription | null, telling: readonly Tried[], lane: Lane, now: Instant): string | null {
  if (subscription?.status !== 'active') return null
  if (telling.some(isGone)) return 'its endpoint is gone (410)'
  const isFailing = telling.some((tried) => !succeeded(tried))
  return isFailing && hasFailedTooLong(lane, now) ? 'its endpoint has failed for 120 hours' : null
}

function countEnds(
  recorded: readonly Readonly<{ before: WebhookDelivery; after: WebhookDelivery }>[],
  settled: readonly Settled[],
): Pick<Tally, 'delivered' | 'failed' | 'exhausted' | 'cancelled'> {
  const endedAs = (status: WebhookDelivery['status']): number =>
    recorded.filter(({ before, after }) => before.status === 'pending' && after.status === status).length
  return {
    failed: settled.filter(({ tried }) => !succeeded(tried)).length,
    delivered: endedAs('delivered'),
    exhausted: endedAs('exhausted'),
    cancelled: endedAs('cancelled'),
  }
}

/** Only the host: a path may carry credentials as well as a query. */
function appendAlert(tx: Transaction, ids: IdSource, subscription: Subscription, reason: string, now: Instant): void {
  const { id, client } = subscription
  const details = { subject: 'webhook-disabled', subscription: id, client, host: hostOf(subscription), reason: maskText(reason) }
  tx.outbox.append({
    id: ids.next(),
    stream: 'system' as Stream,
    event: { type: 'SYSTEM_ALERT', payload: { component: 'delivery', details, severity: 'WARNING', timestamp: timestamp(now) } },
    occurredAt: now,
    traceparent: null,
  })
}
