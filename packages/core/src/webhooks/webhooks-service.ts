import type { ResultAsync } from 'neverthrow'
import type { Caller } from '../kernel/caller.ts'
import type { CancelSignal } from '../kernel/cancel.ts'
import type { Instant } from '../kernel/clock.ts'
import type { InputFault, StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Page } from '../kernel/page.ts'
import type { Viewer } from '../kernel/viewer.ts'
import type { DeliveryStatus, WebhookDelivery } from './delivery.ts'
import type { DeliveryBacklog } from './ports/webhook-store.ts'
import type { ForbiddenTarget } from './ports/webhook-transport.ts'
import type { Reach, Subscription, SubscriptionFilter, WebhookType } from './subscription.ts'
import type { WebhookSecret } from './webhook-secret.ts'

/** There is none that the viewer may see. */
export type SubscriptionNotFound = Readonly<{ kind: 'subscription-not-found'; id: string }>
export type DeliveryNotFound = Readonly<{ kind: 'delivery-not-found'; id: string }>
/** The types ask for more than the owner may hear. */
export type BeyondReach = Readonly<{ kind: 'beyond-reach'; types: readonly WebhookType[] }>
export type StaleSubscription = Readonly<{ kind: 'stale-subscription'; subscription: Subscription }>
export type TooManySubscriptions = Readonly<{ kind: 'too-many-subscriptions'; limit: number }>
/** Only what has ended can be replayed. */
export type DeliveryStillPending = Readonly<{ kind: 'delivery-still-pending'; id: string }>
export type SubscriptionDisabled = Readonly<{ kind: 'subscription-disabled'; id: string }>

export type SubscriptionDetails = Readonly<{
  url: string
  description: string | null
  types: readonly WebhookType[]
  filter: SubscriptionFilter
}>

/** The only time that the secret is told. */
export type WithSecret = Readonly<{ subscription: Subscription; secret: WebhookSecret }>

export type Subscribe = (
  command: Readonly<{ details: SubscriptionDetails; reach: Reach; caller: Caller }>,
) => ResultAsync<WithSecret, ForbiddenTarget | BeyondReach | TooManySubscriptions | StoreUnavailable>

type Change = Readonly<{ id: Uuid; viewer: Viewer; caller: Caller }>

/** What is left out stays; `active: true` enables again what was disabled. `version`: `null` for whatever is there. */
export type AmendSubscription = (
  command: Change &
    Readonly<{ amendment: Partial<SubscriptionDetails> & Readonly<{ active?: boolean }>; reach: Reach; version: number | null }>,
) => ResultAsync<Subscription, SubscriptionNotFound | StaleSubscription | ForbiddenTarget | BeyondReach | StoreUnavailable>

/** Its pending deliveries are cancelled. `version`: `null` for whatever is there. */
export type Unsubscribe = (
  command: Change & Readonly<{ version: number | null }>,
) => ResultAsync<Subscription, SubscriptionNotFound | StaleSubscription | StoreUnavailable>

/** The secrets before sign beside the new one for 24 hours; at most two older ones are kept. */
export type RotateSecret = (command: Change) => ResultAsync<WithSecret, SubscriptionNotFound | StoreUnavailable>

/** Queues one message of type TEST. */
export type SendTest = (command: Change) => ResultAsync<WebhookDelivery, SubscriptionNotFound | SubscriptionDisabled | StoreUnavailable>

/** Queues the same message again, with an id of its own. */
export type ReplayDelivery = (
  command: Change,
) => ResultAsync<WebhookDelivery, DeliveryNotFound | DeliveryStillPending | SubscriptionDisabled | SubscriptionNotFound | StoreUnavailable>

/** The signature, the time or their headers are not in order; nothing was read further, nothing changed. */
export type SignatureInvalid = Readonly<{ kind: 'signature-invalid'; reason: string }>
/** Signed well, but not a message that can be understood. */
export type InvalidWebhook = Readonly<{ kind: 'invalid-webhook'; faults: readonly InputFault[] }>
export type UnknownPayment = Readonly<{ kind: 'unknown-payment'; paymentId: string }>

export type SignedMessage = Readonly<{
  /** `webhook-id`, `webhook-timestamp` and `webhook-signature`, as sent; `null` where missing. */
  id: string | null
  timestamp: string | null
  signature: string | null
  /** The body exactly as received. */
  body: string
}>

/** `effect`: it changed the payment; `recorded`: it came late, or again by another id; `duplicate`: its id was seen before. */
export type Received = Readonly<{ outcome: 'effect' | 'recorded' | 'duplicate'; id: string }>

/** Checks signature and time before anything is parsed; the id and its effect commit in one unit (L16). */
export type ReceivePaymentStatus = (
  message: SignedMessage,
  caller: Caller,
) => ResultAsync<Received, SignatureInvalid | InvalidWebhook | UnknownPayment | StoreUnavailable>

/** Counts since the start of this process. */
export type WebhookCounts = Readonly<{
  attempts: number
  delivered: number
  failed: number
  exhausted: number
  cancelled: number
  disabled: number
  /** Inbound ones that were refused. */
  refused: number
}>

export type WebhooksService = Readonly<{
  subscribe: Subscribe
  subscription: (viewer: Viewer, id: Uuid) => ResultAsync<Subscription, SubscriptionNotFound | StoreUnavailable>
  subscriptions: (viewer: Viewer, before: Uuid | null, limit: number) => ResultAsync<Page<Subscription, Uuid>, StoreUnavailable>
  amend: AmendSubscription
  unsubscribe: Unsubscribe
  rotateSecret: RotateSecret
  sendTest: SendTest
  delivery: (viewer: Viewer, id: Uuid) => ResultAsync<WebhookDelivery, DeliveryNotFound | StoreUnavailable>
  deliveries: (
    viewer: Viewer,
    filter: Readonly<{ subscriptionId: Uuid | null; status: DeliveryStatus | null }>,
    before: Uuid | null,
    limit: number,
  ) => ResultAsync<Page<WebhookDelivery, Uuid>, StoreUnavailable>
  replay: ReplayDelivery
  receivePaymentStatus: ReceivePaymentStatus
  backlog: () => ResultAsync<DeliveryBacklog, StoreUnavailable>
  /**
   * Since when something has been due that nobody sends; `null` when there is nothing such. What waits for an endpoint that
   * is paused does not count: the dispatcher does as it should.
   */
  overdueSince: () => ResultAsync<Instant | null, StoreUnavailable>
  counts: () => WebhookCounts
  /** Background work of an instance: sends what is due, and removes expired ids. Runs until cancelled. */
  dispatch: (cancel: CancelSignal) => Promise<void>
}>
