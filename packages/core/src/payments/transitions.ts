import type { EventDraft, PaymentEvent, Stream } from '../events/index.ts'
import type { Caller } from '../kernel/caller.ts'
import { type Instant, timestamp } from '../kernel/clock.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { Transaction } from '../transaction.ts'
import type { Attempt, Cause, HistoryEntry, Payment, PaymentDetails, PaymentId, PaymentStatus } from './payment.ts'

/** Every transition there is, and who may make it (L8). A status without one absorbs whatever comes. */
export const transitions: Readonly<Record<PaymentStatus, Readonly<Partial<Record<PaymentStatus, readonly Cause[]>>>>> = {
  PENDING: { PROCESSING: ['request'], CANCELLED: ['request'] },
  PROCESSING: {
    COMPLETED: ['instruction', 'webhook', 'reconciler'],
    FAILED: ['instruction', 'webhook', 'reconciler'],
    UNKNOWN: ['instruction', 'reconciler'],
  },
  UNKNOWN: { COMPLETED: ['webhook', 'reconciler'], FAILED: ['webhook', 'reconciler'] },
  COMPLETED: { REVERSED: ['instruction', 'webhook', 'reconciler'] },
  FAILED: {},
  CANCELLED: {},
  REVERSED: {},
}

export function mayBecome(from: PaymentStatus, to: PaymentStatus, cause: Cause): boolean {
  return transitions[from][to]?.includes(cause) ?? false
}

/** Who or what is behind a step. */
export type Origin = Readonly<{ actor: string; cause: Cause; requestId: string | null; traceparent: string | null; at: Instant }>

/** A client's own request. */
export function originOf({ client, requestId, traceparent }: Caller, at: Instant): Origin {
  return { actor: client, cause: 'request', requestId, traceparent, at }
}

/** One line of history with the payment after it, and the event that tells of it: none where nothing visible changed. */
export type Step = Readonly<{ payment: Payment; entry: HistoryEntry; event: PaymentEvent | null }>

type EventType = PaymentEvent['type']
type Line = Readonly<{ kind: HistoryEntry['kind']; from: PaymentStatus | null; detail: string | null }>
/** What a step may change beside the status. */
export type Changes = Partial<PaymentDetails & Pick<Payment, 'attempt' | 'failure' | 'remoteReference' | 'checkAt'>>

export function created(id: PaymentId, client: string, details: PaymentDetails, origin: Origin): Step {
  const payment: Payment = {
    ...details,
    id,
    client,
    status: 'PENDING',
    version: 1,
    createdAt: origin.at,
    updatedAt: origin.at,
    attempt: null,
    failure: null,
    remoteReference: null,
    checkAt: null,
    checks: 0,
    entries: 1,
  }
  return step(payment, { kind: 'created', from: null, detail: null }, 'PAYMENT_CREATED', origin)
}

export function amended(payment: Payment, amendment: Changes, detail: string, origin: Origin): Step {
  const line: Line = { kind: 'amended', from: payment.status, detail }
  return step(changed(payment, amendment, origin), line, 'PAYMENT_UPDATED', origin)
}

export function cancelled(payment: Payment, detail: string | null, origin: Origin): Step {
  return moved(payment, 'CANCELLED', { checkAt: null }, detail, origin)
}

export function begun(payment: Payment, attempt: Attempt, checkAt: Instant, origin: Origin): Step {
  return moved(payment, 'PROCESSING', { attempt, checkAt }, null, origin)
}

/** One listed transition. Whoever asks for another has a defect. */
export function moved(payment: Payment, to: PaymentStatus, changes: Changes, detail: string | null, origin: Origin): Step {
  const from = payment.status
  if (!mayBecome(from, to, origin.cause)) throw new Error(`${from} does not become ${to} by ${origin.cause}`)
  const after = { ...changed(payment, changes, origin), status: to }
  return step(after, { kind: 'transition', from, detail }, to === 'CANCELLED' ? 'PAYMENT_DELETED' : 'PAYMENT_UPDATED', origin)
}

/** A report without effect: noted, with no new version and no event. */
export function ignored(payment: Payment, detail: string, origin: Origin): Step {
  const { status } = payment
  return step({ ...payment, entries: payment.entries + 1 }, { kind: 'ignored', from: status, detail }, null, origin)
}

function changed(payment: Payment, changes: Changes, { at }: Origin): Payment {
  const { version, entries, updatedAt } = payment
  // A clock that was set back must not make the history go back.
  return { ...payment, ...changes, version: version + 1, entries: entries + 1, updatedAt: Math.max(at, updatedAt), checks: 0 }
}

function step(payment: Payment, { kind, from, detail }: Line, type: EventType | null, { actor, cause, requestId, at }: Origin): Step {
  const { id, status, version, amount, entries, updatedAt } = payment
  const recordedAt = Math.max(at, updatedAt)
  return {
    payment,
    entry: { paymentId: id, number: entries, kind, from, to: status, version, actor, cause, detail, requestId, recordedAt },
    event: type === null ? null : { type, payload: { id, status, amount, timestamp: timestamp(updatedAt) } },
  }
}

function paymentStream(id: PaymentId): Stream {
  return `payment-${id}` as Stream
}

/** Records lines of history and their events; the payment itself is recorded once, by whoever knows its last state (L11). */
export function recordSteps(ids: IdSource, tx: Transaction, steps: readonly Step[], { traceparent }: Origin): void {
  for (const { entry, event } of steps) {
    tx.paymentHistory.insert(entry)
    if (event === null) continue
    const draft: EventDraft = { id: ids.next(), stream: paymentStream(entry.paymentId), event, occurredAt: entry.recordedAt, traceparent }
    tx.outbox.append(draft)
  }
}
