import type { Brand } from '../kernel/brand.ts'
import type { Instant } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { JsonObject } from '../kernel/json.ts'

/** The ordered history of one aggregate: `config-<component>`, `payment-<id>`, `user-<id>` or `system`. */
export type Stream = Brand<string, 'Stream'>

/** 1, 2, 3 … within one stream, without gaps. */
export type Sequence = number

export type Severity = 'INFO' | 'WARNING' | 'ERROR'

/** Something about the service itself; the shape on the wire. */
export type SystemEvent = Readonly<{
  type: 'CONFIG_UPDATED' | 'SYSTEM_ALERT'
  payload: Readonly<{ component: string; details: JsonObject; severity: Severity; timestamp: string }>
}>

/** Something about one payment; the shape on the wire. `amount` is in the currency's minor unit. */
export type PaymentEvent = Readonly<{
  type: 'PAYMENT_CREATED' | 'PAYMENT_UPDATED' | 'PAYMENT_DELETED'
  payload: Readonly<{ id: string; status: string; amount: number; timestamp: string }>
}>

/** Something about one user; the shape on the wire. `changes` carries paths, and values that are not personal. */
export type UserEvent = Readonly<{
  type: 'USER_UPDATED' | 'PREFERENCES_UPDATED'
  payload: Readonly<{ userId: string; changes: JsonObject; timestamp: string }>
}>

/** Everything that is published. The wire form is exactly `{"type", "payload"}`. */
export type DomainEvent = PaymentEvent | UserEvent | SystemEvent

export type EventType = DomainEvent['type']

/** An event as recorded on a unit of work; the store adds the sequence when it commits. */
export type EventDraft = Readonly<{
  id: Uuid
  stream: Stream
  event: DomainEvent
  occurredAt: Instant
  /** W3C Trace Context of the request behind it. */
  traceparent: string | null
}>

/** An event in its stream. */
export type SequencedEvent = EventDraft & Readonly<{ sequence: Sequence }>

/** The topic of the exchange: `config.updated`, `system.alert` … */
export function routingKey(type: EventType): string {
  return type.toLowerCase().replace('_', '.')
}

/** The body on the wire: exactly `{"type", "payload"}`, in this order. */
export function wireBody({ type, payload }: DomainEvent): string {
  return JSON.stringify({ type, payload })
}
