import type { EventsService, Stream, StreamState } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { problemOf } from '../problems/from-core.ts'
import { type Problem, problem } from '../problems/problem.ts'
import { type Answer, representJson } from '../server/answer.ts'
import { type Endpoint, endpoint, json } from '../server/endpoint.ts'
import type { Exchange } from '../server/exchange.ts'
import { limitParameter, pageBody, pageCursor } from '../server/parameters.ts'
import { streamBody } from './bodies.ts'
import { tag } from './dead-letters.ts'
import { bodies } from './schemas.ts'

const nameLimit = 200

function isName(text: string): text is Stream {
  return text.length > 0 && text.length <= nameLimit && text.isWellFormed() && !text.includes('\0')
}

const parameters = z.strictObject({
  id: z
    .string()
    .refine(isName, { message: `The name of a stream has 1 to ${nameLimit} characters.`, params: { code: 'invalid-stream' } })
    .transform((name) => name as Stream)
    .openapi({ type: 'string', description: 'The name of the stream', example: 'config-payments' }),
})

export function streamEndpoints(events: EventsService): readonly Endpoint[] {
  return [listEndpoint(events), streamEndpoint(events), unblockEndpoint(events)]
}

function representStream(exchange: Exchange, id: string, state: StreamState | null): Problem | Promise<Answer | Problem> {
  if (state === null) return problem('stream-not-found', `There is no stream ${id}.`)
  return representJson(exchange, streamBody(state))
}

function listEndpoint(events: EventsService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/events/streams',
    permission: 'events:read',
    confinement: 'permission',
    summary: 'Streams of events and how far they are published, by name',
    tag,
    query: z.strictObject({
      blocked: z
        .enum(['true', 'false'])
        .optional()
        .openapi({ description: 'Only those that wait for an operator, or only those that do not' }),
      limit: limitParameter,
      cursor: pageCursor('stream', (name) => (isName(name) ? name : null)),
    }),
    successes: { 200: { description: 'A page of streams', content: json(bodies.streams) } },
    problems: ['store-unavailable'],
    handle: async ({ query: { blocked, limit, cursor } }, exchange) => {
      const filter = { blocked: blocked === undefined ? null : blocked === 'true' }
      const states = await events.streams(filter, cursor ?? null, limit + 1)
      if (states.isErr()) return problemOf(states.error)
      const items = states.value.slice(0, limit)
      const next = states.value.length > limit ? (items.at(-1)?.stream ?? null) : null
      return representJson(exchange, pageBody('stream', { items, next }, streamBody))
    },
  })
}

function streamEndpoint(events: EventsService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/events/streams/{id}',
    permission: 'events:read',
    confinement: 'permission',
    summary: 'How far one stream is published',
    tag,
    params: parameters,
    successes: { 200: { description: 'The stream', content: json(bodies.stream) } },
    problems: ['stream-not-found', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const state = await events.stream(id)
      return state.isErr() ? problemOf(state.error) : representStream(exchange, id, state.value)
    },
  })
}

function unblockEndpoint(events: EventsService): Endpoint {
  return endpoint({
    method: 'post',
    path: '/events/streams/{id}/unblock',
    permission: 'events:write',
    confinement: 'permission',
    summary: 'Lets a blocked stream go on; any other stays as it is',
    description: 'Takes no body.',
    tag,
    params: parameters,
    successes: { 200: { description: 'The stream as it is now', content: json(bodies.stream) } },
    problems: ['stream-not-found', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const state = await events.unblock(id)
      return state.isErr() ? problemOf(state.error) : representStream(exchange, id, state.value)
    },
  })
}
