import type { WebhooksService } from '@cbp/core'
import { viewerOf } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { problemOf } from '../problems/from-core.ts'
import { representJson } from '../server/answer.ts'
import { type Endpoint, endpoint, json } from '../server/endpoint.ts'
import { callerOf, identityIn } from '../server/exchange.ts'
import { idCursor, idParameter, limitParameter, pageBody } from '../server/parameters.ts'
import { deliveryBody } from './bodies.ts'
import { bodies, deliveryStatus } from './schemas.ts'
import { deliveryParameters, representQueued, tag } from './shared.ts'

export function deliveryEndpoints(webhooks: WebhooksService): readonly Endpoint[] {
  return [listEndpoint(webhooks), deliveryEndpoint(webhooks), replayEndpoint(webhooks)]
}

function listEndpoint(webhooks: WebhooksService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/webhooks/deliveries',
    permission: 'webhooks:read',
    confinement: 'owner',
    summary: 'Messages that were sent or are to be sent, with their attempts, newest first',
    tag,
    query: z.strictObject({
      subscription: idParameter('Of this subscription only').optional(),
      status: deliveryStatus.optional(),
      limit: limitParameter,
      cursor: idCursor('delivery'),
    }),
    successes: { 200: { description: 'A page of deliveries', content: json(bodies.deliveries) } },
    problems: ['store-unavailable'],
    handle: async ({ query: { subscription, status, limit, cursor } }, exchange) => {
      const viewer = viewerOf(identityIn(exchange))
      const filter = { subscriptionId: subscription ?? null, status: status ?? null }
      const page = await webhooks.deliveries(viewer, filter, cursor ?? null, limit)
      if (page.isErr()) return problemOf(page.error)
      return representJson(
        exchange,
        pageBody('delivery', page.value, (delivery) => deliveryBody(delivery, viewer)),
      )
    },
  })
}

function deliveryEndpoint(webhooks: WebhooksService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/webhooks/deliveries/{id}',
    permission: 'webhooks:read',
    confinement: 'owner',
    summary: 'One message with its attempts',
    tag,
    params: deliveryParameters,
    successes: { 200: { description: 'The delivery', content: json(bodies.delivery) } },
    problems: ['delivery-not-found', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const viewer = viewerOf(identityIn(exchange))
      const delivery = await webhooks.delivery(viewer, id)
      if (delivery.isErr()) return problemOf(delivery.error)
      return representJson(exchange, deliveryBody(delivery.value, viewer))
    },
  })
}

function replayEndpoint(webhooks: WebhooksService): Endpoint {
  return endpoint({
    method: 'post',
    path: '/webhooks/deliveries/{id}/replay',
    permission: 'webhooks:write',
    confinement: 'owner',
    summary: 'Queues the same message again, under a webhook-id of its own',
    description: 'Takes no body.',
    tag,
    params: deliveryParameters,
    successes: { 202: { description: 'The new delivery', content: json(bodies.delivery), headers: { location: 'Its path' } } },
    problems: ['delivery-not-found', 'delivery-still-pending', 'subscription-disabled', 'subscription-not-found', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const queued = await webhooks.replay({ id, viewer: viewerOf(identityIn(exchange)), caller: callerOf(exchange) })
      return queued.isErr() ? problemOf(queued.error) : representQueued(exchange, queued.value)
    },
  })
}
