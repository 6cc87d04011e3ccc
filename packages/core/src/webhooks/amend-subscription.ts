import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock, Instant } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { type Cancelled, cancelInLane, cancelRest, findInLane, type InLane } from './cancel-pending.ts'
import { emptyLane, type Lane, laneUntil, wellAgain } from './lane.ts'
import { findOwn } from './own-subscription.ts'
import type { ForbiddenTarget, WebhookTransport } from './ports/webhook-transport.ts'
import { checkDetails } from './subscribe.ts'
import { disabled, type Reach, requireReach, type Subscription } from './subscription.ts'
import type { Tally } from './webhook-counts.ts'
import type { AmendSubscription, BeyondReach, StaleSubscription, SubscriptionNotFound, Unsubscribe } from './webhooks-service.ts'

type Dependencies = Readonly<{ transport: WebhookTransport; unitOfWork: UnitOfWork<Transaction>; clock: Clock; tally: Tally }>

type Command = Parameters<AmendSubscription>[0]
type Refusal = SubscriptionNotFound | StaleSubscription | ForbiddenTarget | BeyondReach | StoreUnavailable
type Changed = Readonly<{ subscription: Subscription; cancelled: Cancelled }>

const nothingCancelled: Cancelled = { count: 0, more: false }
const nothingInLane: InLane = { lane: null, pending: [] }
const nothingDue: Due = { lane: null, nextDue: null }

export function amendSubscription(deps: Dependencies): AmendSubscription {
  return (command) => new ResultAsync(amend(deps, command))
}

export function unsubscribe(deps: Dependencies): Unsubscribe {
  return (command) =>
    new ResultAsync(
      settle(deps, async (tx, now) => {
        const [found, inLane] = await Promise.all([findAsSeen(tx, command), findInLane(tx, command.id)])
        if (found.isErr()) return err(found.error)
        if (inLane.isErr()) return err(inLane.error)
        const { version } = found.value
        return end(tx, { ...found.value, status: 'deleted', version: version + 1, updatedAt: now }, inLane.value, now)
      }),
    )
}

async function amend(deps: Dependencies, command: Command): Promise<Result<Subscription, Refusal>> {
  const checked = checkDetails(deps.transport, command.amendment)
  return checked.isErr() ? err(checked.error) : settle(deps, (tx, now) => record(tx, command, now))
}

/** Commits a change, then cancels what one unit was too small for. */
async function settle<E>(
  deps: Dependencies,
  change: (tx: Transaction, now: Instant) => Promise<Result<Changed, E>>,
): Promise<Result<Subscription, E | StoreUnavailable>> {
  const committed = await deps.unitOfWork.run((tx) => new ResultAsync(change(tx, deps.clock.now())))
  if (committed.isErr()) return err(committed.error)
  const { subscription, cancelled } = committed.value.value
  deps.tally.cancelled += cancelled.count
  if (cancelled.more) await cancelRest(deps, subscription.id)
  return ok(subscription)
}

/** Only while it is at the version that the caller saw. */
async function findAsSeen(
  tx: Transaction,
  { id, viewer, version }: Pick<Command, 'id' | 'viewer' | 'version'>,
): Promise<Result<Subscription, SubscriptionNotFound | StaleSubscription | StoreUnavailable>> {
  const found = await findOwn(tx, viewer, id)
  if (found.isErr() || version === null || version === found.value.version) return found
  return err({ kind: 'stale-subscription', subscription: found.value })
}

async function record(tx: Transaction, command: Command, now: Instant): Promise<Result<Changed, Refusal>> {
  const { id, amendment, caller } = command
  const { active, url } = amendment
  // What may be needed is asked for at once, because each question may be a round trip.
  const [found, ending, beginning] = await Promise.all([
    findAsSeen(tx, command),
    active === false ? findInLane(tx, id) : ok(nothingInLane),
    active === true || url !== undefined ? findDue(tx, id) : ok(nothingDue),
  ])
  if (found.isErr()) return err(found.error)
  if (ending.isErr()) return err(ending.error)
  if (beginning.isErr()) return err(beginning.error)
  const amended = amendDetails(found.value, command, now)
  if (amended.isErr()) return err(amended.error)
  if (active === false && found.value.status === 'active') {
    const because = caller.client === found.value.client ? 'disabled by its owner' : 'disabled by an operator'
    return end(tx, { ...disabled(amended.value, because, now), version: amended.value.version }, ending.value, now)
  }
  if (active === true && found.value.status !== 'active') {
    return ok(begin(tx, { ...amended.value, status: 'active', disabledBecause: null }, beginning.value))
  }
  if (amended.value.url !== found.value.url) return ok(begin(tx, amended.value, beginning.value))
  tx.subscriptions.update(amended.value)
  return ok({ subscription: amended.value, cancelled: nothingCancelled })
}

function amendDetails(found: Subscription, { amendment, reach, caller }: Command, now: Instant): Result<Subscription, BeyondReach> {
  const { url, description, types, filter } = amendment
  const details = {
    url: url ?? found.url,
    description: description === undefined ? found.description : description,
    types: types === undefined ? found.types : [...new Set(types)],
    filter: filter ?? found.filter,
  }
  const redirects = url !== undefined || types !== undefined || filter !== undefined
  const reachAfter = redirects ? reachOf(found, reach, caller.client) : found.reach
  const amended = { ...found, ...details, reach: reachAfter, version: found.version + 1, updatedAt: now }
  return redirects ? requireReach(amended.types, reachAfter).map(() => amended) : ok(amended)
}

/**
 * Whoever changes where messages go, or which, lends no more than their own reach; and nobody lends theirs to the
 * subscription of another client.
 */
function reachOf({ client, reach: held }: Subscription, reach: Reach, caller: string): Reach {
  if (client === caller) return reach
  return { allClients: held.allClients && reach.allClients, system: held.system && reach.system }
}

/** Sends no more: what is pending is cancelled. */
async function end(tx: Transaction, subscription: Subscription, inLane: InLane, now: Instant): Promise<Result<Changed, StoreUnavailable>> {
  tx.subscriptions.update(subscription)
  const cancelled = await cancelInLane(tx, subscription.id, inLane, now)
  return cancelled.map((each) => ({ subscription, cancelled: each }))
}

/** Starts with a clean record: of the endpoint as it is now no failure is known. */
function begin(tx: Transaction, subscription: Subscription, { lane, nextDue }: Due): Changed {
  tx.subscriptions.update(subscription)
  const fresh = laneUntil(wellAgain(lane ?? emptyLane(subscription.id)), nextDue)
  if (lane === null) tx.lanes.insert(fresh)
  else tx.lanes.update(fresh)
  return { subscription, cancelled: nothingCancelled }
}

type Due = Readonly<{ lane: Lane | null; nextDue: Instant | null }>

async function findDue(tx: Transaction, subscriptionId: Uuid): Promise<Result<Due, StoreUnavailable>> {
  const [lane, nextDue] = await Promise.all([tx.lanes.find({ subscriptionId }), tx.nextDue(subscriptionId)])
  if (lane.isErr()) return err(lane.error)
  return nextDue.map((due) => ({ lane: lane.value, nextDue: due }))
}
