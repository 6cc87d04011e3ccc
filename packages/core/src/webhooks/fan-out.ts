import { err, ok, okAsync, type Result, ResultAsync } from 'neverthrow'
import { type ReadTunable, tunables } from '../config/index.ts'
import type { ConsumerDefinition, Delivery, EventNotApplicable } from '../events/index.ts'
import type { Clock } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource, Uuid } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import type { Transaction } from '../transaction.ts'
import { spreadMs, type WebhookDelivery } from './delivery.ts'
import type { Audience } from './ports/webhook-store.ts'
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
  const audience = await audienceOf(tx, event)
  if (audience.isErr()) return err(audience.error)
  const subscribers = await tx.subscribers(audience.value)
  if (subscribers.isErr()) return err(subscribers.error)
  for (const subscription of subscribers.value) {
    const delivery = deliveryFor(deps, subscription, event)
    if (delivery === null) continue
    const queued = await queueDelivery(tx, delivery)
    if (queued.isErr()) return err(queued.error)
  }
  return ok()
}

/** A payment's events are its client's; all others are of the service as a whole. */
function audienceOf(tx: Transaction, { stream, event }: Delivery): ResultAsync<Audience, EventNotApplicable | StoreUnavailable> {
  if (!event.type.startsWith('PAYMENT_')) return okAsync({ client: null })
  const id = stream.startsWith(paymentStream) ? (stream.slice(paymentStream.length) as Uuid) : null
  if (id === null) return new ResultAsync(Promise.resolve(err(notApplicable('a payment event outside of a payment stream'))))
  return tx.payments
    .find({ id })
    .andThen((payment) => (payment === null ? err(notApplicable('there is no such payment')) : ok({ client: payment.client })))
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
