import type { Subscription, WebhooksService, WithSecret } from '@cbp/core'
import { reachOf, viewerOf } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { problemOf } from '../problems/from-core.ts'
import type { Problem } from '../problems/problem.ts'
import { type Answer, encodedJson, privateJson, represent, representJson } from '../server/answer.ts'
import { type Endpoint, endpoint, json, smallBodyBytes } from '../server/endpoint.ts'
import { callerOf, type Exchange, identityIn } from '../server/exchange.ts'
import { idCursor, limitParameter, pageBody } from '../server/parameters.ts'
import { versionTag } from '../server/version-tags.ts'
import { subscriptionBody, subscriptionWithSecretBody } from './bodies.ts'
import { bodies } from './schemas.ts'
import { subscriptionParameters, tag } from './shared.ts'

const etag = { etag: 'Strong; made of the version, for If-Match' }

export function subscriptionEndpoints(webhooks: WebhooksService): readonly Endpoint[] {
  return [listEndpoint(webhooks), subscribeEndpoint(webhooks), subscriptionEndpoint(webhooks), rotateEndpoint(webhooks)]
}

export function representSubscription(exchange: Exchange, subscription: Subscription): Promise<Answer | Problem> {
  return represent(exchange, {
    status: 200,
    headers: privateJson,
    body: encodedJson(subscriptionBody(subscription)),
    etag: versionTag(subscription.version),
  })
}

/** With a secret in it nobody may keep the answer. */
function representSecret(exchange: Exchange, status: number, given: WithSecret): Promise<Answer | Problem> {
  const { id, version } = given.subscription
  return represent(exchange, {
    status,
    headers: {
      ...privateJson,
      'cache-control': 'private, no-store',
      ...(status === 201 ? { location: `/webhooks/subscriptions/${id}` } : {}),
    },
    body: encodedJson(subscriptionWithSecretBody(given)),
    etag: versionTag(version),
  })
}

function listEndpoint(webhooks: WebhooksService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/webhooks/subscriptions',
    permission: 'webhooks:read',
    confinement: 'owner',
    summary: 'Subscriptions, newest first',
    description: 'Those of the client; with `clients:all` those of every client.',
    tag,
    query: z.strictObject({ limit: limitParameter, cursor: idCursor('subscription') }),
    successes: { 200: { description: 'A page of subscriptions', content: json(bodies.subscriptions) } },
    problems: ['store-unavailable'],
    handle: async ({ query: { limit, cursor } }, exchange) => {
      const page = await webhooks.subscriptions(viewerOf(identityIn(exchange)), cursor ?? null, limit)
      if (page.isErr()) return problemOf(page.error)
      return representJson(exchange, pageBody('subscription', page.value, subscriptionBody))
    },
  })
}

function subscribeEndpoint(webhooks: WebhooksService): Endpoint {
  return endpoint({
    method: 'post',
    path: '/webhooks/subscriptions',
    permission: 'webhooks:write',
    confinement: 'owner',
    summary: 'Subscribes an endpoint to events',
    description:
      'Payment events of the client itself, with `clients:all` of every client. All other types take `config:read` that is not confined to scopes.',
    tag,
    bodyLimitBytes: smallBodyBytes,
    body: bodies.subscribe,
    successes: {
      201: {
        description: 'The subscription, and its secret this once',
        content: json(bodies.withSecret),
        headers: { ...etag, location: 'Its path' },
      },
    },
    problems: ['forbidden-target', 'beyond-reach', 'too-many-subscriptions', 'store-unavailable'],
    handle: async ({ body: { url, description, types, filter } }, exchange) => {
      const made = await webhooks.subscribe({
        details: {
          url,
          description: description ?? null,
          types,
          filter: { statuses: filter?.statuses ?? null, components: filter?.components ?? null },
        },
        reach: reachOf(identityIn(exchange)),
        caller: callerOf(exchange),
      })
      return made.isErr() ? problemOf(made.error) : representSecret(exchange, 201, made.value)
    },
  })
}

function subscriptionEndpoint(webhooks: WebhooksService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/webhooks/subscriptions/{id}',
    permission: 'webhooks:read',
    confinement: 'owner',
    summary: 'One subscription',
    tag,
    params: subscriptionParameters,
    headers: { 'if-none-match': 'ETag of the answer that is held already' },
    successes: {
      200: { description: 'The subscription', content: json(bodies.subscription), headers: etag },
      304: { description: 'Not modified' },
    },
    problems: ['subscription-not-found', 'invalid-header', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const subscription = await webhooks.subscription(viewerOf(identityIn(exchange)), id)
      return subscription.isErr() ? problemOf(subscription.error) : representSubscription(exchange, subscription.value)
    },
  })
}

function rotateEndpoint(webhooks: WebhooksService): Endpoint {
  return endpoint({
    method: 'post',
    path: '/webhooks/subscriptions/{id}/rotate-secret',
    permission: 'webhooks:write',
    confinement: 'owner',
    summary: 'Makes a new secret; the older ones sign beside it for 24 hours',
    description: 'Takes no body.',
    tag,
    params: subscriptionParameters,
    successes: { 200: { description: 'The subscription, and its new secret this once', content: json(bodies.withSecret), headers: etag } },
    problems: ['subscription-not-found', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const rotated = await webhooks.rotateSecret({ id, viewer: viewerOf(identityIn(exchange)), caller: callerOf(exchange) })
      return rotated.isErr() ? problemOf(rotated.error) : representSecret(exchange, 200, rotated.value)
    },
  })
}
