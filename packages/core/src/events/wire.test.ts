import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { itHolds } from '../kernel/testing/property.ts'
import { type DomainEvent, type EventType, routingKey, wireBody } from './event.ts'
import { anyDomainEvent } from './testing/arbitraries.ts'
import { type EventSchemas, eventSchemas, eventTypes } from './wire.ts'

type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : false) : false

/** Compiles only while what the schemas describe is what the types say. */
const agree: Same<{ [Type in EventType]: z.output<EventSchemas[Type]> }[EventType], Flat<DomainEvent>> = true

/** One member for each type, as the schemas have it. */
type Flat<Event extends DomainEvent> = Event extends DomainEvent
  ? { [Type in Event['type']]: Readonly<{ type: Type; payload: Event['payload'] }> }[Event['type']]
  : never

describe('events on the wire', () => {
  it.each<readonly [EventType, string]>([
    ['PAYMENT_CREATED', 'payment.created'],
    ['PAYMENT_UPDATED', 'payment.updated'],
    ['PAYMENT_DELETED', 'payment.deleted'],
    ['USER_UPDATED', 'user.updated'],
    ['PREFERENCES_UPDATED', 'preferences.updated'],
    ['CONFIG_UPDATED', 'config.updated'],
    ['SYSTEM_ALERT', 'system.alert'],
  ])('%s goes under %s', (type, key) => {
    expect(routingKey(type)).toBe(key)
    expect(eventTypes).toContain(type)
  })

  itHolds(
    'have a body of exactly type and payload, in this order',
    200,
    fc.asyncProperty(anyDomainEvent, async (event) => {
      const delivered = { ...event, stray: 1 }
      const body = wireBody(delivered)
      expect(body).toBe(`{"type":"${event.type}","payload":${JSON.stringify(event.payload)}}`)
    }),
  )

  itHolds(
    'are what the schema of their type describes, and of no other type',
    200,
    fc.asyncProperty(anyDomainEvent, async (event) => {
      const body: unknown = JSON.parse(wireBody(event))
      const accepting = eventTypes.filter((type) => eventSchemas[type].safeParse(body).success)
      expect([agree, accepting]).toEqual([true, [event.type]])
    }),
  )

  it.each<readonly [string, unknown]>([
    ['a stray member', { type: 'PAYMENT_CREATED', payload: {}, stray: 1 }],
    ['a fraction of a minor unit', payment({ amount: 1.5 })],
    ['a stray member of the payload', payment({ stray: 1 })],
    ['an instant without its zone', payment({ timestamp: '2026-01-01T00:00:00.000' })],
  ])('have schemas that refuse %s', (_case, body) => {
    expect(eventSchemas.PAYMENT_CREATED.safeParse(payment({})).success).toBe(true)
    expect(eventSchemas.PAYMENT_CREATED.safeParse(body).success).toBe(false)
  })

  it.each(eventTypes)('%s has a JSON Schema with a title, a description and every member required', (type) => {
    expect(z.toJSONSchema(eventSchemas[type])).toMatchObject({
      title: type,
      description: expect.stringMatching(/\.$/),
      required: ['type', 'payload'],
      additionalProperties: false,
      properties: { type: { const: type }, payload: { additionalProperties: false } },
    })
  })
})

function payment(members: Readonly<Record<string, unknown>>): unknown {
  const payload = { id: '01890000-0000-7000-8000-000000000000', status: 'PENDING', amount: 100, timestamp: '2026-01-01T00:00:00.000Z' }
  return { type: 'PAYMENT_CREATED', payload: { ...payload, ...members } }
}
