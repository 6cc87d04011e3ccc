import { type DeadLetterState, eventTypes } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { pageOf } from '../server/parameters.ts'

const states: readonly DeadLetterState[] = ['dead', 'replayed', 'discarded']

export const deadLetterState: z.ZodType<DeadLetterState, DeadLetterState> = z.enum(states).openapi('DeadLetterState')

const instant = z.iso.datetime()

const deadLetter: z.ZodType = z
  .strictObject({
    id: z.uuid(),
    consumer: z.string(),
    event: z.strictObject({
      id: z.uuid(),
      stream: z.string(),
      sequence: z.int().min(1),
      occurredAt: instant,
      type: z.enum(eventTypes),
      payload: z.looseObject({}),
    }),
    reason: z.string().openapi({ description: 'Why the consumer could not apply it' }),
    failures: z.int(),
    deadAt: instant,
    state: deadLetterState,
    settled: z.strictObject({ at: instant, actor: z.string(), reason: z.string().nullable() }).nullable(),
  })
  .openapi('DeadLetter')

const stream: z.ZodType = z
  .strictObject({
    id: z.string().openapi({ description: 'Its name', example: 'config-payments' }),
    last: z.int().openapi({ description: 'The sequence of its newest event' }),
    confirmed: z.int().openapi({ description: 'Every event up to here is confirmed by the broker' }),
    backlog: z.int().openapi({ description: 'Events behind that one' }),
    refusals: z.int().openapi({ description: 'How often the next one was refused' }),
    blocked: z.strictObject({ sequence: z.int(), reason: z.string(), since: instant }).nullable(),
  })
  .openapi('EventStream')

/** The bodies of the event endpoints. */
export const bodies: Readonly<Record<'deadLetter' | 'deadLetters' | 'stream' | 'streams', z.ZodType>> = {
  deadLetter,
  deadLetters: pageOf(deadLetter).openapi('DeadLetterList'),
  stream,
  streams: pageOf(stream).openapi('EventStreamList'),
}
