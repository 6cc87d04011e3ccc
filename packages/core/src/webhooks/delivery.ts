import type { Sequence, Stream } from '../events/index.ts'
import type { Instant } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { WebhookType } from './subscription.ts'

export type DeliveryStatus = 'pending' | 'delivered' | 'exhausted' | 'cancelled'

/** One try. Either there was an answer with a status, or `error` says why there was none. */
export type DeliveryAttempt = Readonly<{
  number: number
  at: Instant
  latencyMs: number
  status: number | null
  error: string | null
  /** The beginning of the answer's body, for operators only; `null` when there was none. */
  answer: string | null
}>

/** One message to one subscription. Its id is the `webhook-id` of all its attempts. */
export type WebhookDelivery = Readonly<{
  id: Uuid
  subscriptionId: Uuid
  client: string
  type: WebhookType | 'TEST'
  /** The event behind it; `null` for a test. */
  event: Readonly<{ id: Uuid; stream: Stream; sequence: Sequence }> | null
  /** The exact body that is signed and sent. */
  body: string
  status: DeliveryStatus
  attempts: readonly DeliveryAttempt[]
  /** When it is tried next; `null` once it has ended. */
  dueAt: Instant | null
  createdAt: Instant
  endedAt: Instant | null
  /** The delivery that this one repeats at an operator's or its owner's request. */
  replayOf: Uuid | null
  /** The event behind it was itself replayed. */
  replayed: boolean
  traceparent: string | null
}>

/**
 * What is shared by all deliveries of one subscription: who sends, how its endpoint fares, and when to look again.
 * Every unit that adds a delivery updates the lane, so that a sender who finds nothing more to send cannot miss it.
 */
export type Lane = Readonly<{
  subscriptionId: Uuid
  /** When to look for something to send; `null` when nothing is pending. */
  dueAt: Instant | null
  /** Rises with each lease. */
  fence: number
  /** `null`: free. */
  leasedUntil: Instant | null
  /** Attempts that failed since the last that succeeded. */
  failures: number
  /** Since when nothing has succeeded; `null` while it fares well. */
  failingSince: Instant | null
  /** The circuit is open: nothing is sent before. */
  pausedUntil: Instant | null
}>
