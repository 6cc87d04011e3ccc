import type { WebhookDelivery } from '@cbp/core'
import { viewerOf } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import type { Problem } from '../problems/problem.ts'
import { type Answer, encodedJson, privateJson, represent } from '../server/answer.ts'
import { type Exchange, identityIn } from '../server/exchange.ts'
import { idParameter } from '../server/parameters.ts'
import { deliveryBody } from './bodies.ts'

export const tag = 'Webhooks'

type IdParameters = z.ZodObject<{ id: ReturnType<typeof idParameter> }, z.core.$strict>

export const subscriptionParameters: IdParameters = z.strictObject({ id: idParameter('The subscription') })
export const deliveryParameters: IdParameters = z.strictObject({ id: idParameter('The delivery') })

/** A message that was queued just now. */
export function representQueued(exchange: Exchange, delivery: WebhookDelivery): Promise<Answer | Problem> {
  const headers = { ...privateJson, location: `/webhooks/deliveries/${delivery.id}` }
  const body = encodedJson(deliveryBody(delivery, viewerOf(identityIn(exchange))))
  return represent(exchange, { status: 202, headers, body, etag: null })
}
