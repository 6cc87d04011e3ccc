import { z } from 'zod'
import type { DomainEvent, EventType } from './event.ts'

/** The event of one type as it is on the wire. */
export type WireEvent<Type extends EventType> = DomainEvent extends infer Event
  ? Event extends DomainEvent
    ? Type extends Event['type']
      ? Readonly<{ type: Type; payload: Event['payload'] }>
      : never
    : never
  : never

export type EventSchemas = { readonly [Type in EventType]: z.ZodType<WireEvent<Type>> }

const when = z.iso.datetime({ precision: 3 }).describe('When it happened (RFC 3339, UTC, milliseconds).')
// Any JSON: named as a recursive type it would only make the documents longer.
const anyMembers = (): z.ZodRecord<z.ZodString, z.ZodAny> => z.record(z.string(), z.any())

const payment = z.strictObject({
  id: z.uuid().describe('The payment.'),
  status: z.string().min(1).describe('Its status afterwards.'),
  amount: z.int().min(1).describe("In the currency's minor unit (ISO 4217)."),
  timestamp: when,
})

const user = z.strictObject({
  userId: z.string().min(1),
  changes: anyMembers().describe('What has changed, by path; personal values are masked.'),
  timestamp: when,
})

const system = z.strictObject({
  component: z.string().min(1).describe('The part of the platform that it concerns.'),
  details: anyMembers(),
  severity: z.enum(['INFO', 'WARNING', 'ERROR']),
  timestamp: when,
})

function wire<Type extends EventType, Payload extends z.ZodType>(type: Type, payload: Payload, description: string) {
  return z.strictObject({ type: z.literal(type), payload }).meta({ title: type, description })
}

/** Every event as consumers and webhook subscribers get it: what AsyncAPI and OpenAPI documents are generated from. */
export const eventSchemas: EventSchemas = {
  PAYMENT_CREATED: wire('PAYMENT_CREATED', payment, 'A payment was created.'),
  PAYMENT_UPDATED: wire('PAYMENT_UPDATED', payment, 'A payment was amended, or its status has changed.'),
  PAYMENT_DELETED: wire('PAYMENT_DELETED', payment, 'A payment was cancelled before it was processed.'),
  USER_UPDATED: wire('USER_UPDATED', user, 'A user has changed.'),
  PREFERENCES_UPDATED: wire('PREFERENCES_UPDATED', user, "A user's preferences have changed."),
  CONFIG_UPDATED: wire('CONFIG_UPDATED', system, 'Settings of a component have changed: which, and to what versions, without values.'),
  SYSTEM_ALERT: wire('SYSTEM_ALERT', system, 'Something about the service needs attention.'),
}

export const eventTypes: readonly EventType[] = Object.keys(eventSchemas) as EventType[]
