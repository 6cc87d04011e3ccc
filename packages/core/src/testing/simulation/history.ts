import type { Address, Cursor, EntryVersion, Precondition, UnitChanges, WatchSelection } from '../../config/index.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { JsonValue } from '../../kernel/json.ts'
import type { Revision } from '../../kernel/unit-of-work.ts'
import type { PaymentId, PaymentStatus } from '../../payments/index.ts'
import type { WebhookSecret } from '../../webhooks/index.ts'

/** One call of a writer. Its token is the reason of the version it makes, and so finds it again. */
export type WriteRecord = {
  readonly token: string
  readonly at: Address
  readonly precondition: Precondition
  outcome:
    | Readonly<{ kind: 'acknowledged'; version: EntryVersion }>
    /** The service said that nothing was written. */
    | Readonly<{ kind: 'refused' }>
    /** No answer, or one that leaves the outcome open. */
    | Readonly<{ kind: 'unknown' }>
}

export type SnapshotRecord = Readonly<{
  component: Address['component']
  scope: Address['scope']
  revision: Revision
  values: ReadonlyMap<string, JsonValue>
}>

export type ReadRecord = Readonly<{ at: Address; revision: Revision; value: JsonValue }>

/** What one watcher heard from its start on, over all its connections. */
export type WatchRecord = {
  readonly name: string
  readonly selection: WatchSelection
  readonly start: Cursor
  readonly units: UnitChanges[]
  cursor: Cursor
}

/** All calls with one Idempotency-Key of one client for one operation. */
export type KeyedRequest = {
  readonly client: string
  readonly operation: 'create' | 'process'
  readonly key: string
  /** Its reference is used by no other request. */
  readonly ownReference: boolean
  /** Another body was sent under the key as well. */
  hasOtherBody: boolean
  readonly answers: string[]
  /** Kinds of refusals of the first body. */
  readonly refusals: string[]
}

/** A state of a payment that somebody was shown. */
export type PaymentSighting = Readonly<{ id: PaymentId; version: number; status: PaymentStatus; amount: number }>

/** An amendment or a cancellation that was acknowledged with this version. */
export type PaymentWrite = Readonly<{ id: PaymentId; version: number; kind: 'amended' | 'cancelled'; amount: number }>

/** One message of the Payment Service; `isAcknowledged` by any of its copies. */
export type ServiceMessage = { readonly id: string; readonly paymentId: PaymentId; isAcknowledged: boolean }

export type EndpointKind = 'good' | 'slow' | 'flaky' | 'hanging' | 'lying' | 'late' | 'dead' | 'gone'

/** A subscription that was asked for. Its URL is its own. */
export type SubscriptionRecord = {
  readonly url: string
  readonly endpoint: EndpointKind
  /** When its creation was acknowledged; `null` while that is not known. */
  acknowledgedAt: Instant | null
  id: Uuid | null
  readonly secrets: WebhookSecret[]
  /** The ids of the messages that its endpoint has said it took. */
  readonly taken: Set<string>
  /** A rotation was not answered: there may be a secret that nobody knows. */
  isSecretUncertain: boolean
  /** Its owner has asked for its end, or a pause, or other types. */
  isTouched: boolean
}

/** One API key, and what its holder was told of it. */
export type KeyRecord = {
  readonly id: Uuid
  readonly secrets: Readonly<{ text: string; toldAt: Instant }>[]
  /** Its end was asked for, whether or not that was answered. */
  isEnding: boolean
  /** When its end was acknowledged. */
  endedAt: Instant | null
}

export type Violation = Readonly<{ law: string; detail: string }>

/** Everything that the clients of one world saw. */
export type History = Readonly<{
  writes: WriteRecord[]
  reads: ReadRecord[]
  snapshots: SnapshotRecord[]
  watches: WatchRecord[]
  requests: KeyedRequest[]
  sightings: PaymentSighting[]
  paymentWrites: PaymentWrite[]
  messages: ServiceMessage[]
  forgeries: { count: number }
  subscriptions: SubscriptionRecord[]
  keys: KeyRecord[]
  keyUses: { count: number }
  violations: Violation[]
}>

export function emptyHistory(): History {
  return {
    writes: [],
    reads: [],
    snapshots: [],
    watches: [],
    requests: [],
    sightings: [],
    paymentWrites: [],
    messages: [],
    forgeries: { count: 0 },
    subscriptions: [],
    keys: [],
    keyUses: { count: 0 },
    violations: [],
  }
}
