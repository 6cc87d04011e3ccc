import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { type ReadTunable, tunables } from '../config/index.ts'
import type { ConsumerDefinition, Delivery, EventNotApplicable } from '../events/index.ts'
import type { Clock } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource, Uuid } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import type { Transaction } from '../transaction.ts'
import { spreadMs, type WebhookDelivery } from './delivery.ts'
import { newDelivery, queueDelivery } from './queue-delivery.ts'
import { type Subscription, typeHeard } from './subscription.ts'

export type FanOutDependencies = Readonly<{ ids: IdSource; clock: Clock; random: Random; tunable: ReadTunable }>

const paymentStream = 'payment-'

/**
 * Turns each event into deliveries: at most one for each subscription, under the most specific type that it names.
 *
 * A subscription hears what occurred at its creation or later. Both instants come from the clocks of the instances that
 * wrote them: where those differ by some time, events of that much time before may be heard, or of that much after missed.
 */
export function fanOut(deps: FanOutDependencies): ConsumerDefinition {
  const fanning: Fanning = { ...deps, firstDelayMs: recentFirstDelay(deps) }
  return { name: 'webhooks', topics: ['#'], apply: (tx, event) => new ResultAsync(fan(fanning, tx, event)) }
}

type Fanning = FanOutDependencies & Readonly<{ firstDelayMs: () => number }>

async function fan(deps: Fanning, tx: Transaction, event: Delivery): Promise<Result<void, EventNotApplicable | StoreUnavailable>> {
  const paymentId = paymentOf(event)
  if (paymentId.isErr()) return err(paymentId.error)
  const [payment, subscribers] = await Promise.all([
    paymentId.value === null ? ok(null) : tx.payments.find({ id: paymentId.value }),
    tx.subscribers({ paymentId: paymentId.value }),
  ])
  if (payment.isErr()) return err(payment.error)
  if (subscribers.isErr()) return err(subscribers.error)
  if (paymentId.value !== null && payment.value === null) return err(notApplicable('there is no such payment'))
  const deliveries = subscribers.value.flatMap((subscription) => deliveryFor(deps, subscription, event) ?? [])
  const lanes = await Promise.all(deliveries.map(({ subscriptionId }) => tx.lanes.find({ subscriptionId })))
  for (const [index, lane] of lanes.entries()) {
    if (lane.isErr()) return err(lane.error)
    const delivery = deliveries[index]
    if (delivery !== undefined) queueDelivery(tx, lane.value, delivery)
  }
  return ok()
}

/** A payment's events are its client's; all others are of the service as a whole. */
function paymentOf({ stream, event }: Delivery): Result<Uuid | null, EventNotApplicable> {
  if (!event.type.startsWith('PAYMENT_')) return ok(null)
  if (!stream.startsWith(paymentStream)) return err(notApplicable('a payment event outside of a payment stream'))
  return ok(stream.slice(paymentStream.length) as Uuid)
}

function deliveryFor({ ids, clock, random, firstDelayMs }: Fanning, subscription: Subscription, event: Delivery): WebhookDelivery | null {
  if (subscription.createdAt > event.occurredAt) return null
  const type = typeHeard(subscription, event.event)
  if (type === null) return null
  const now = clock.now()
  const message = {
    id: ids.next(),
    subscriptionId: subscription.id,
    client: subscription.client,
    type,
    event: { id: event.id, stream: event.stream, sequence: event.sequence },
    body: JSON.stringify({ type, payload: event.event.payload }),
    replayOf: null,
    replayed: event.replayed,
    traceparent: event.traceparent,
  }
  return newDelivery(message, now, now + spreadMs(firstDelayMs(), random.fraction()))
}

/**
 * The schedule's first delay as it was read last: a unit of work awaits nothing but its store, so each event has the next
 * one's read begun.
 */
function recentFirstDelay({ tunable }: FanOutDependencies): () => number {
  let recent = tunables.webhookRetryScheduleSeconds.shipped
  let reading = false
  const read = async (): Promise<void> => {
    reading = true
    try {
      recent = await tunable(tunables.webhookRetryScheduleSeconds)
    } catch {
      // A defect of the read; what was read before still counts.
    } finally {
      reading = false
    }
  }
  return () => {
    if (!reading) void read()
    return (recent[0] ?? 0) * 1000
  }
}

function notApplicable(reason: string): EventNotApplicable {
  return { kind: 'event-not-applicable', reason }
}
