import type { Subscription, WebhooksService } from '@cbp/core'
import { reachOf, viewerOf } from '@cbp/core'
import { problemOf } from '../problems/from-core.ts'
import type { Problem } from '../problems/problem.ts'
import type { Answer } from '../server/answer.ts'
import { type Endpoint, endpoint, json, smallBodyBytes } from '../server/endpoint.ts'
import { callerOf, type Exchange, identityIn } from '../server/exchange.ts'
import { isMatched, readVersionMatch, type VersionMatch } from '../server/version-tags.ts'
import { bodies, type SubscriptionPatch } from './schemas.ts'
import { representQueued, subscriptionParameters, tag } from './shared.ts'
import { representSubscription } from './subscriptions.ts'

type Id = Subscription['id']
type Amendment = Parameters<WebhooksService['amend']>[0]['amendment']

const conditions = { 'if-match': 'The ETag of the subscription; without one, whatever is there' }

export function subscriptionChangeEndpoints(webhooks: WebhooksService): readonly Endpoint[] {
  return [amendEndpoint(webhooks), deleteEndpoint(webhooks), testEndpoint(webhooks)]
}

function amendEndpoint(webhooks: WebhooksService): Endpoint {
  return endpoint({
    method: 'patch',
    path: '/webhooks/subscriptions/{id}',
    permission: 'webhooks:write',
    confinement: 'owner',
    summary: 'Changes a subscription, disables it or enables it again',
    description:
      'The body is a JSON Merge Patch (RFC 7396), under either media type. Without If-Match it is merged into whatever is there.',
    tag,
    params: subscriptionParameters,
    bodyLimitBytes: smallBodyBytes,
    body: bodies.patch,
    bodyTypes: ['application/merge-patch+json', 'application/json'],
    headers: conditions,
    successes: {
      200: {
        description: 'The subscription as it is now',
        content: json(bodies.subscription),
        headers: { etag: 'Strong; made of the version, for If-Match' },
      },
    },
    problems: ['subscription-not-found', 'stale-subscription', 'forbidden-target', 'beyond-reach', 'invalid-header', 'store-unavailable'],
    handle: async ({ params: { id }, body }, exchange) => {
      const match = readVersionMatch(exchange) ?? 'any'
      if (typeof match === 'object' && 'code' in match) return match
      return amend(webhooks, exchange, id, match, body)
    },
  })
}

/** A patch is merged into one version, so it is written over that version alone: if another comes between, merged anew. */
const mergesAtMost = 5

async function amend(
  webhooks: WebhooksService,
  exchange: Exchange,
  id: Id,
  match: VersionMatch,
  patch: SubscriptionPatch,
): Promise<Answer | Problem> {
  const identity = identityIn(exchange)
  const viewer = viewerOf(identity)
  for (let merges = 1; ; merges += 1) {
    const found = await webhooks.subscription(viewer, id)
    if (found.isErr()) return problemOf(found.error)
    const subscription = found.value
    if (!isMatched(match, subscription.version)) return problemOf({ kind: 'stale-subscription', subscription })
    const amended = await webhooks.amend({
      id,
      viewer,
      caller: callerOf(exchange),
      amendment: mergePatch(subscription, patch),
      reach: reachOf(identity),
      version: subscription.version,
    })
    if (amended.isOk()) return representSubscription(exchange, amended.value)
    if (amended.error.kind !== 'stale-subscription' || merges === mergesAtMost) return problemOf(amended.error)
  }
}

function mergePatch({ filter: before }: Subscription, { url, description, types, filter, active }: SubscriptionPatch): Amendment {
  return {
    ...(url === undefined ? {} : { url }),
    ...(description === undefined ? {} : { description }),
    ...(types === undefined ? {} : { types }),
    ...(filter === undefined ? {} : { filter: mergeFilter(before, filter) }),
    ...(active === undefined ? {} : { active }),
  }
}

function mergeFilter(before: Subscription['filter'], patch: NonNullable<SubscriptionPatch['filter']> | null): Subscription['filter'] {
  if (patch === null) return { statuses: null, components: null }
  const { statuses, components } = patch
  return {
    statuses: statuses === undefined ? before.statuses : statuses,
    components: components === undefined ? before.components : components,
  }
}

function deleteEndpoint(webhooks: WebhooksService): Endpoint {
  return endpoint({
    method: 'delete',
    path: '/webhooks/subscriptions/{id}',
    permission: 'webhooks:write',
    confinement: 'owner',
    summary: 'Ends a subscription; what was still to be sent is cancelled',
    tag,
    params: subscriptionParameters,
    headers: conditions,
    successes: { 200: { description: 'The subscription that was', content: json(bodies.subscription) } },
    problems: ['subscription-not-found', 'stale-subscription', 'invalid-header', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const match = readVersionMatch(exchange) ?? 'any'
      if (typeof match === 'object' && 'code' in match) return match
      return end(webhooks, exchange, id, match)
    },
  })
}

/** Where several versions will do, the answer names the one that is there; a list has an end, and versions only rise. */
async function end(webhooks: WebhooksService, exchange: Exchange, id: Id, match: VersionMatch): Promise<Answer | Problem> {
  const command = { id, viewer: viewerOf(identityIn(exchange)), caller: callerOf(exchange) }
  for (let version = match === 'any' ? null : (match.find((each) => each !== null) ?? noVersion); ; ) {
    const ended = await webhooks.unsubscribe({ ...command, version })
    if (ended.isOk()) return representSubscription(exchange, ended.value)
    if (ended.error.kind !== 'stale-subscription' || !isMatched(match, ended.error.subscription.version)) return problemOf(ended.error)
    version = ended.error.subscription.version
  }
}

/** The first is 1. */
const noVersion = 0

function testEndpoint(webhooks: WebhooksService): Endpoint {
  return endpoint({
    method: 'post',
    path: '/webhooks/subscriptions/{id}/test',
    permission: 'webhooks:write',
    confinement: 'owner',
    summary: 'Queues one message of type TEST',
    description: 'Takes no body.',
    tag,
    params: subscriptionParameters,
    successes: { 202: { description: 'The delivery', content: json(bodies.delivery), headers: { location: 'Its path' } } },
    problems: ['subscription-not-found', 'subscription-disabled', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const queued = await webhooks.sendTest({ id, viewer: viewerOf(identityIn(exchange)), caller: callerOf(exchange) })
      return queued.isErr() ? problemOf(queued.error) : representQueued(exchange, queued.value)
    },
  })
}
