import type { DeadLetter, EventsService } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { problemOf } from '../problems/from-core.ts'
import type { Problem } from '../problems/problem.ts'
import { type Answer, representJson } from '../server/answer.ts'
import { type Endpoint, endpoint, json } from '../server/endpoint.ts'
import { callerOf, type Exchange } from '../server/exchange.ts'
import { idCursor, idParameter, limitParameter, pageBody, reason as reasonText } from '../server/parameters.ts'
import { deadLetterBody } from './bodies.ts'
import { bodies, deadLetterState } from './schemas.ts'

export const tag = 'Events'

const parameters = z.strictObject({ id: idParameter('The dead letter') })

export function deadLetterEndpoints(events: EventsService): readonly Endpoint[] {
  return [listEndpoint(events), letterEndpoint(events), replayEndpoint(events), discardEndpoint(events)]
}

function representLetter(exchange: Exchange, letter: DeadLetter): Promise<Answer | Problem> {
  return representJson(exchange, deadLetterBody(letter))
}

function listEndpoint(events: EventsService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/events/dead-letters',
    permission: 'events:read',
    confinement: 'permission',
    summary: 'Events that a consumer could not apply, newest first',
    description: 'For operators: of every client.',
    tag,
    query: z.strictObject({
      consumer: z.string().min(1).max(100).optional(),
      state: deadLetterState.optional(),
      limit: limitParameter,
      cursor: idCursor('dead-letter'),
    }),
    successes: { 200: { description: 'A page of dead letters', content: json(bodies.deadLetters) } },
    problems: ['store-unavailable'],
    handle: async ({ query: { consumer, state, limit, cursor } }, exchange) => {
      const page = await events.deadLetters({ consumer: consumer ?? null, state: state ?? null }, cursor ?? null, limit)
      if (page.isErr()) return problemOf(page.error)
      return representJson(exchange, pageBody('dead-letter', page.value, deadLetterBody))
    },
  })
}

function letterEndpoint(events: EventsService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/events/dead-letters/{id}',
    permission: 'events:read',
    confinement: 'permission',
    summary: 'One dead letter',
    tag,
    params: parameters,
    successes: { 200: { description: 'The dead letter', content: json(bodies.deadLetter) } },
    problems: ['dead-letter-not-found', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const letter = await events.deadLetter(id)
      return letter.isErr() ? problemOf(letter.error) : representLetter(exchange, letter.value)
    },
  })
}

function replayEndpoint(events: EventsService): Endpoint {
  return endpoint({
    method: 'post',
    path: '/events/dead-letters/{id}/replay',
    permission: 'events:write',
    confinement: 'permission',
    summary: 'Lets the consumer apply the event once more, marked as replayed',
    description: 'Takes no body. At most ten a second.',
    tag,
    params: parameters,
    successes: { 200: { description: 'The dead letter, replayed', content: json(bodies.deadLetter) } },
    problems: [
      'dead-letter-not-found',
      'dead-letter-settled',
      'unknown-consumer',
      'event-not-applicable',
      'too-many-replays',
      'store-unavailable',
    ],
    handle: async ({ params: { id } }, exchange) => {
      const letter = await events.replayDeadLetter(id, callerOf(exchange))
      return letter.isErr() ? problemOf(letter.error) : representLetter(exchange, letter.value)
    },
  })
}

/** The reason stands in the query: what a body of DELETE means is not defined (RFC 9110, 9.3.5). */
function discardEndpoint(events: EventsService): Endpoint {
  return endpoint({
    method: 'delete',
    path: '/events/dead-letters/{id}',
    permission: 'events:write',
    confinement: 'permission',
    summary: 'Gives an event up, with a reason that is kept',
    tag,
    params: parameters,
    query: z.strictObject({ reason: reasonText }),
    successes: { 200: { description: 'The dead letter, discarded', content: json(bodies.deadLetter) } },
    problems: ['dead-letter-not-found', 'dead-letter-settled', 'store-unavailable'],
    handle: async ({ params: { id }, query: { reason } }, exchange) => {
      const letter = await events.discardDeadLetter(id, reason, callerOf(exchange))
      return letter.isErr() ? problemOf(letter.error) : representLetter(exchange, letter.value)
    },
  })
}
