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

/** What one try brought, before it is recorded. */
export type Tried = Readonly<{
  deliveryId: Uuid
  attempt: DeliveryAttempt
  /** Where it went. */
  url: string
  retryAfterMs: number | null
  /** Spreads the next try over ±20 %: uniform in [0, 1). Drawn once, so that a unit run again decides the same. */
  spread: number
}>

export type RetryPolicy = Readonly<{ scheduleSeconds: readonly number[] }>

const retryAfterCapMs = 24 * 3_600_000

export function succeeded({ attempt: { status } }: Tried): boolean {
  return status !== null && status >= 200 && status < 300
}

/** 410 Gone: its owner wants nothing more (Standard Webhooks). */
export function isGone({ attempt: { status } }: Tried): boolean {
  return status === 410
}

/** A store may have kept what it did not confirm; under one lease nobody else adds attempts. */
export function holds({ attempts }: WebhookDelivery, { attempt }: Tried): boolean {
  return attempts.length >= attempt.number
}

/**
 * The delivery after a try. Retry-After, at most 24 hours of it, can only put the next try off: the schedule is the least
 * that is waited. A try of what has ended meanwhile is noted and changes nothing else.
 */
export function afterTry(delivery: WebhookDelivery, tried: Tried, { scheduleSeconds }: RetryPolicy, now: Instant): WebhookDelivery {
  const attempts = [...delivery.attempts, tried.attempt]
  if (delivery.status !== 'pending') return { ...delivery, attempts }
  if (succeeded(tried)) return ended({ ...delivery, attempts }, 'delivered', now)
  const delaySeconds = scheduleSeconds[attempts.length]
  if (delaySeconds === undefined) return ended({ ...delivery, attempts }, 'exhausted', now)
  const waitMs = Math.max(spreadMs(delaySeconds * 1000, tried.spread), Math.min(tried.retryAfterMs ?? 0, retryAfterCapMs))
  return { ...delivery, attempts, dueAt: now + waitMs }
}

export function ended(delivery: WebhookDelivery, status: Exclude<DeliveryStatus, 'pending'>, now: Instant): WebhookDelivery {
  return { ...delivery, status, dueAt: null, endedAt: now }
}

/** ±20 %. */
export function spreadMs(ms: number, spread: number): number {
  return Math.round(ms * (0.8 + 0.4 * spread))
}
