import type { Reach, WebhookDelivery } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { hasPermission, type Identity, viewerOf } from '../access/identity.ts'
import type { Problem } from '../problems/problem.ts'
import { type Answer, encodedJson, privateJson, represent } from '../server/answer.ts'
import { type Exchange, identityIn } from '../server/exchange.ts'
import { idParameter } from '../server/parameters.ts'
import { deliveryBody } from './bodies.ts'

export const tag = 'Webhooks'

type IdParameters = z.ZodObject<{ id: ReturnType<typeof idParameter> }, z.core.$strict>

export const subscriptionParameters: IdParameters = z.strictObject({ id: idParameter('The subscription') })
export const deliveryParameters: IdParameters = z.strictObject({ id: idParameter('The delivery') })

/** What a subscription of this caller may hear. A token confined to scopes hears no system events: they know no scopes. */
export function reachOf(identity: Identity): Reach {
  return {
    allClients: hasPermission(identity, 'clients:all'),
    system: hasPermission(identity, 'config:read') && identity.configScopes === null,
  }
}

/** A message that was queued just now. */
export function representQueued(exchange: Exchange, delivery: WebhookDelivery): Promise<Answer | Problem> {
  const headers = { ...privateJson, location: `/webhooks/deliveries/${delivery.id}` }
  const body = encodedJson(deliveryBody(delivery, viewerOf(identityIn(exchange))))
  return represent(exchange, { status: 202, headers, body, etag: null })
}
