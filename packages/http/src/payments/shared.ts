import type { Payment } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import type { Problem } from '../problems/problem.ts'
import { type Answer, encodedJson, privateJson, represent } from '../server/answer.ts'
import type { Exchange } from '../server/exchange.ts'
import { idParameter } from '../server/parameters.ts'
import { versionTag } from '../server/version-tags.ts'
import { paymentBody } from './bodies.ts'

export const tag = 'Payments'

export const paymentParameters: z.ZodObject<{ id: ReturnType<typeof idParameter> }, z.core.$strict> = z.strictObject({
  id: idParameter('The payment'),
})

export function representPayment(exchange: Exchange, payment: Payment): Promise<Answer | Problem> {
  return represent(exchange, {
    status: 200,
    headers: privateJson,
    body: encodedJson(paymentBody(payment)),
    etag: versionTag(payment.version),
  })
}
