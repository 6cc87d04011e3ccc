import type { Instant } from '../kernel/clock.ts'
import type { PaymentId } from './payment.ts'

export type IdempotentOperation = 'create-payment' | 'process-payment'

/** The key that a client gives one request, and what was answered under it (draft-ietf-httpapi-idempotency-key-header). */
export type IdempotencyRecord = Readonly<{
  client: string
  operation: IdempotentOperation
  key: string
  /** SHA-256 of the canonical request: the same key with another request is refused. */
  fingerprint: string
  paymentId: PaymentId
  /** The first answer as the host gave it, byte for byte; `null` while the request is in flight. */
  answer: string | null
  /** While in flight nobody else takes it over before. */
  leasedUntil: Instant
  expiresAt: Instant
}>

/** What a repeatable request carries. */
export type Idempotency<T> = Readonly<{
  key: string
  /** How the host answers: called inside the unit of work, kept with the key, and given to every repetition. Pure. */
  answerOf: (value: T) => string
}>

/** `payment` as it was when the answer was made, `null` for a repetition. */
export type Answered<T> = Readonly<{ answer: string; value: T | null }>

/** The key was used for another request before. */
export type IdempotencyKeyReused = Readonly<{ kind: 'idempotency-key-reused'; key: string }>

/**
 * The first request under this key has not been answered yet. `retryAfterMs`: when it is worth asking again, at most 5 s;
 * the request may still be in flight then, but no longer than its lease, after which a repetition takes it over.
 */
export type RequestInFlight = Readonly<{ kind: 'request-in-flight'; key: string; retryAfterMs: number }>

export const idempotencyKeyLifeMs: number = 7 * 24 * 3_600_000

/** What a key says to a request: nothing yet, so that the request goes on, or how it ends without being carried out. */
export type KeyState =
  | Readonly<{ kind: 'free' }>
  | Readonly<{ kind: 'answered'; answer: string }>
  /** Nobody has answered it, and its lease is over: whoever carried it out may have crashed. */
  | Readonly<{ kind: 'abandoned'; record: IdempotencyRecord }>
  | IdempotencyKeyReused
  | RequestInFlight

/** An expired key counts as absent, though its row may still be there. */
export function keyState(record: IdempotencyRecord | null, fingerprint: string, now: Instant): KeyState {
  if (record === null || record.expiresAt <= now) return { kind: 'free' }
  const { key, answer, leasedUntil } = record
  if (record.fingerprint !== fingerprint) return { kind: 'idempotency-key-reused', key }
  if (answer !== null) return { kind: 'answered', answer }
  return leasedUntil > now ? requestInFlight(record, now) : { kind: 'abandoned', record }
}

const shortestRetryMs = 1000
const longestRetryMs = 5000

/** Most requests are answered long before their lease ends: who waited for its end would wait for nothing. */
export function requestInFlight({ key, leasedUntil }: IdempotencyRecord, now: Instant): RequestInFlight {
  const retryAfterMs = Math.min(Math.max(leasedUntil - now, shortestRetryMs), longestRetryMs)
  return { kind: 'request-in-flight', key, retryAfterMs }
}
