import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { type Clock, timestamp } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import { maySee } from '../kernel/viewer.ts'
import type { Transaction } from '../transaction.ts'
import type { WebhookDelivery } from './delivery.ts'
import type { Lane } from './lane.ts'
import { findActive } from './own-subscription.ts'
import { newDelivery, type QueuedMessage, queueDelivery } from './queue-delivery.ts'
import type {
  DeliveryNotFound,
  DeliveryStillPending,
  ReplayDelivery,
  SendTest,
  SubscriptionDisabled,
  SubscriptionNotFound,
} from './webhooks-service.ts'

type Dependencies = Readonly<{ unitOfWork: UnitOfWork<Transaction>; ids: IdSource; clock: Clock }>

type NotActive = SubscriptionNotFound | SubscriptionDisabled | StoreUnavailable
type NotReplayed = DeliveryNotFound | DeliveryStillPending | NotActive

export function sendTest(deps: Dependencies): SendTest {
  return (command) => new ResultAsync(asUnit(deps, (tx) => recordTest(deps, tx, command)))
}

export function replayDelivery(deps: Dependencies): ReplayDelivery {
  return (command) => new ResultAsync(asUnit(deps, (tx) => recordReplay(deps, tx, command)))
}

async function asUnit<E>(
  { unitOfWork }: Dependencies,
  work: (tx: Transaction) => Promise<Result<WebhookDelivery, E>>,
): Promise<Result<WebhookDelivery, E | StoreUnavailable>> {
  const committed = await unitOfWork.run((tx) => new ResultAsync(work(tx)))
  return committed.map(({ value }) => value)
}

async function recordTest(
  deps: Dependencies,
  tx: Transaction,
  { id, viewer, caller }: Parameters<SendTest>[0],
): Promise<Result<WebhookDelivery, NotActive>> {
  const [subscription, lane] = await Promise.all([findActive(tx, viewer, id), tx.lanes.find({ subscriptionId: id })])
  if (subscription.isErr()) return err(subscription.error)
  if (lane.isErr()) return err(lane.error)
  const { client } = subscription.value
  const payload = { subscriptionId: id, timestamp: timestamp(deps.clock.now()) }
  const body = JSON.stringify({ type: 'TEST', payload })
  return ok(
    queueNow(deps, tx, lane.value, {
      subscriptionId: id,
      client,
      type: 'TEST',
      event: null,
      body,
      replayOf: null,
      replayed: false,
      traceparent: caller.traceparent,
    }),
  )
}

async function recordReplay(
  deps: Dependencies,
  tx: Transaction,
  { id, viewer, caller }: Parameters<ReplayDelivery>[0],
): Promise<Result<WebhookDelivery, NotReplayed>> {
  const found = await tx.deliveries.find({ id })
  if (found.isErr()) return err(found.error)
  if (found.value === null || !maySee(viewer, found.value.client)) return err({ kind: 'delivery-not-found', id })
  if (found.value.status === 'pending') return err({ kind: 'delivery-still-pending', id })
  const { subscriptionId, client, type, event, body, replayed, traceparent } = found.value
  const [subscription, lane] = await Promise.all([findActive(tx, viewer, subscriptionId), tx.lanes.find({ subscriptionId })])
  if (subscription.isErr()) return err(subscription.error)
  if (lane.isErr()) return err(lane.error)
  return ok(
    queueNow(deps, tx, lane.value, {
      subscriptionId,
      client,
      type,
      event,
      body,
      replayOf: id,
      replayed,
      traceparent: traceparent ?? caller.traceparent,
    }),
  )
}

/** Asked for by somebody who waits: no delay of the schedule goes before the first try. */
function queueNow({ ids, clock }: Dependencies, tx: Transaction, lane: Lane | null, message: Omit<QueuedMessage, 'id'>): WebhookDelivery {
  const now = clock.now()
  const delivery = newDelivery({ id: ids.next(), ...message }, now, now)
  queueDelivery(tx, lane, delivery)
  return delivery
}
