import { type Result, ResultAsync } from 'neverthrow'
import type { Instant } from '../kernel/clock.ts'
import { coalesce } from '../kernel/coalesce.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource, Uuid } from '../kernel/ids.ts'
import { fullJitterMs } from '../kernel/random.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import type { RetryPolicy, Tried, WebhookDelivery } from './delivery.ts'
import type { Lane } from './lane.ts'
import { giveBackLane, type Leased, recordTries, renewLane } from './lane-units.ts'
import type { WebhookStore } from './ports/webhook-store.ts'
import type { Subscription } from './subscription.ts'
import { type TryDependencies, tryDelivery } from './try-delivery.ts'
import type { Tally } from './webhook-counts.ts'

export type ServeDependencies = TryDependencies &
  Readonly<{ store: WebhookStore; unitOfWork: UnitOfWork<Transaction>; ids: IdSource; tally: Tally; limits: LaneLimits }>

export type LaneLimits = Readonly<{
  /** Deliveries of one lane in flight at a time. */
  inFlight: number
  /** Deliveries of one lane read at a time. */
  page: number
  /** After so many the lane goes back into the row, so that others get their turn. */
  perLease: number
}>

export type SendingPolicy = RetryPolicy & Readonly<{ timeoutMs: number }>

/** One lane in the hands of this instance. */
type Session = {
  readonly policy: SendingPolicy
  readonly subscriptionId: Uuid
  readonly fence: number
  lane: Lane
  subscription: Subscription
  /** By this instance's own clock, from before the lease was asked for. */
  expiresAt: Instant
  queue: readonly WebhookDelivery[]
  /** The last read found nothing beyond what is in hand. */
  drained: boolean
  started: number
  /** No more is started: fenced out, or its end is being recorded. */
  closing: boolean
  /** Freed with the last record, or no longer ours to free. */
  gone: boolean
  readonly inFlight: Map<Uuid, Promise<void>>
  /** How many attempts of each delivery are recorded, against reads that are older than the records. */
  readonly recorded: Map<Uuid, number>
}

type Serving = Readonly<{ deps: ServeDependencies; session: Session; stopped: () => boolean; report: (tried: Tried) => Promise<void> }>

const leaseMarginMs = 15_000
/** What must be left of a lease beyond the time of one try before another is begun. */
const recordMarginMs = 5_000

/** A lease outlasts every try that is begun under it. */
export function leaseMsOf({ timeoutMs }: SendingPolicy): number {
  return timeoutMs + leaseMarginMs
}

/** Sends what is due in a leased lane until there is no more, its endpoint fails, or it is told to stop; then frees it. */
export async function serveLane(
  deps: ServeDependencies,
  { lane, subscription }: Leased,
  leasedAt: Instant,
  policy: SendingPolicy,
  stopped: () => boolean,
): Promise<void> {
  const session: Session = {
    policy,
    subscriptionId: lane.subscriptionId,
    fence: lane.fence,
    lane,
    subscription,
    expiresAt: leasedAt + leaseMsOf(policy),
    queue: [],
    drained: false,
    started: 0,
    closing: false,
    gone: false,
    inFlight: new Map(),
    recorded: new Map(),
  }
  const report = coalesce((tries: readonly Tried[]) => record(deps, session, tries, stopped))
  const serving: Serving = { deps, session, stopped, report: (tried) => report(tried) }
  while (await hasWork(serving)) {
    if (await mayBegin(serving)) begin(serving)
    else if (session.inFlight.size > 0) await Promise.race(session.inFlight.values())
  }
  if (!session.gone) await giveBack(deps, session)
}

/** Whether anything is in flight or still to be begun; reads the next page when the one before is used up. */
async function hasWork({ deps, session, stopped }: Serving): Promise<boolean> {
  if (session.queue.length === 0 && !session.drained && isOpen(deps, session, stopped)) await readPage(deps, session)
  return session.inFlight.size > 0 || (session.queue.length > 0 && isOpen(deps, session, stopped))
}

function isOpen({ clock, limits }: ServeDependencies, session: Session, stopped: () => boolean): boolean {
  const { lane, subscription, closing, started } = session
  const isPaused = lane.pausedUntil !== null && lane.pausedUntil > clock.now()
  return !closing && !stopped() && !isPaused && subscription.status === 'active' && started < limits.perLease
}

/** Room for one more, and a lease that outlasts it. After a pause it is one at a time until one succeeds. */
async function mayBegin({ deps, session, stopped }: Serving): Promise<boolean> {
  const width = session.lane.pausedUntil === null ? deps.limits.inFlight : 1
  if (session.queue.length === 0 || session.inFlight.size >= width || !isOpen(deps, session, stopped)) return false
  if (deps.clock.now() + session.policy.timeoutMs + recordMarginMs <= session.expiresAt) return true
  return (await renew(deps, session)) && isOpen(deps, session, stopped)
}

function begin({ deps, session, report }: Serving): void {
  const [delivery, ...rest] = session.queue
  if (delivery === undefined) return
  session.queue = rest
  session.started += 1
  const sending = tryDelivery(deps, session.subscription, delivery, session.policy.timeoutMs)
    .then((tried) => (tried === null ? stopBeginning(session) : report(tried)))
    .finally(() => session.inFlight.delete(delivery.id))
  // A defect is met where the session waits for it; while it waits for something else, nobody listens.
  sending.catch(() => {})
  session.inFlight.set(delivery.id, sending)
}

/** A delivery that was cut short stays pending and due, for whoever takes the lane next. */
function stopBeginning(session: Session): void {
  session.closing = true
}

async function readPage({ store, clock, random, limits }: ServeDependencies, session: Session): Promise<void> {
  const limit = limits.page + session.inFlight.size
  const due = await store.dueDeliveries(session.subscriptionId, clock.now(), limit)
  if (due.isErr()) await clock.sleep(fullJitterMs(random, 1, 500, 500) + 1)
  const rows = due.unwrapOr([])
  session.drained = rows.length < limit
  session.queue = rows.filter(({ id, attempts }) => !session.inFlight.has(id) && attempts.length >= (session.recorded.get(id) ?? 0))
  if (session.queue.length === 0) session.drained = true
}

async function renew(deps: ServeDependencies, session: Session): Promise<boolean> {
  const { unitOfWork, clock } = deps
  const askedAt = clock.now()
  const leaseMs = leaseMsOf(session.policy)
  const renewed = await unitOfWork.run((tx) => new ResultAsync(renewLane(tx, session, clock.now(), leaseMs)))
  if (renewed.isErr()) {
    session.closing = true
    return false
  }
  const { value: lane } = renewed.value
  if (lane === null) {
    lose(session)
    return false
  }
  session.lane = lane
  session.expiresAt = askedAt + leaseMs
  return true
}

/** Records a batch, in one unit with the end of the lease where nothing else is in hand. */
async function record(deps: ServeDependencies, session: Session, tries: readonly Tried[], stopped: () => boolean): Promise<void> {
  const { unitOfWork, clock, ids, tally } = deps
  const isLast =
    session.inFlight.size === tries.length && ((session.queue.length === 0 && session.drained) || !isOpen(deps, session, stopped))
  // From here on nothing more is begun, even where a pause ends meanwhile.
  if (isLast) session.closing = true
  tally.attempts += tries.length
  const { policy } = session
  const recorded = await untilExpired(deps, session, () =>
    unitOfWork.run((tx) => new ResultAsync(recordTries(tx, session, tries, { ids, policy, now: clock.now(), release: isLast }))),
  )
  const outcome = recorded?.value ?? null
  if (outcome === null) return lose(session)
  const { lane, subscription, counted } = outcome
  session.lane = lane
  if (subscription === null) session.closing = true
  else follow(session, subscription)
  if (lane.leasedUntil === null) session.gone = true
  for (const { deliveryId, attempt } of tries) session.recorded.set(deliveryId, attempt.number)
  for (const name of ['delivered', 'failed', 'exhausted', 'cancelled', 'disabled'] as const) tally[name] += counted[name]
  if (counted.disabled > 0) {
    const { id, disabledBecause } = session.subscription
    deps.log.write('warn', 'a webhook subscription is disabled', { subscription: id, reason: disabledBecause })
  }
}

/** What was read before a change of the subscription may have been cancelled with it, so it is read again. */
function follow(session: Session, subscription: Subscription): void {
  if (subscription.version !== session.subscription.version) {
    session.queue = []
    session.drained = false
  }
  session.subscription = subscription
}

async function giveBack(deps: ServeDependencies, session: Session): Promise<void> {
  const { unitOfWork, clock } = deps
  await untilExpired(deps, session, () => unitOfWork.run((tx) => new ResultAsync(giveBackLane(tx, session, clock.now()))))
}

function lose(session: Session): void {
  session.closing = true
  session.gone = true
}

/** Again and again while the store is away; `null` once the lease is over: then others send, and may send again. */
async function untilExpired<T>(
  { clock, random, log }: ServeDependencies,
  session: Session,
  run: () => ResultAsync<T, StoreUnavailable>,
): Promise<T | null> {
  for (let attempt = 1; ; attempt += 1) {
    const done: Result<T, StoreUnavailable> = await run()
    if (done.isOk()) return done.value
    const pauseMs = fullJitterMs(random, attempt, 50, 1000) + 1
    if (clock.now() + pauseMs >= session.expiresAt) {
      log.write('warn', 'the store did not take what became of webhooks; they may be sent again', { reason: done.error.reason })
      return null
    }
    await clock.sleep(pauseMs)
  }
}
