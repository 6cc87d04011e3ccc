import type { PaymentsService } from '@cbp/core'
import { viewerOf } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { problemOf } from '../problems/from-core.ts'
import { encodedJson, privateJson, represent, representJson } from '../server/answer.ts'
import { type Endpoint, endpoint, json, type SuccessDocumentation } from '../server/endpoint.ts'
import { identityIn } from '../server/exchange.ts'
import { idCursor, instantParameter, limitParameter, pageBody, pageCursor } from '../server/parameters.ts'
import { versionTag } from '../server/version-tags.ts'
import { historyBody, paymentBody, paymentStatusBody, verificationBody } from './bodies.ts'
import { bodies, paymentStatus } from './schemas.ts'
import { paymentParameters, representPayment, tag } from './shared.ts'

const tagged = (description: string, schema: z.ZodType): Readonly<Record<number, SuccessDocumentation>> => ({
  200: { description, content: json(schema), headers: { etag: 'Strong; made of the version' } },
  304: { description: 'Not modified' },
})
const conditions = { 'if-none-match': 'ETag of the answer that is held already' }

export function readEndpoints(payments: PaymentsService): readonly Endpoint[] {
  return [listEndpoint(payments), paymentEndpoint(payments), statusEndpoint(payments), verifyEndpoint(payments), historyEndpoint(payments)]
}

function listEndpoint(payments: PaymentsService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/payments',
    permission: 'payments:read',
    confinement: 'owner',
    summary: 'Payments, newest first',
    description: 'Those of the client; with `clients:all` those of every client.',
    tag,
    query: z.strictObject({
      status: paymentStatus.optional(),
      userId: z.string().min(1).max(128).optional(),
      from: instantParameter('Created at or after'),
      to: instantParameter('Created before'),
      limit: limitParameter,
      cursor: idCursor('payment'),
    }),
    successes: { 200: { description: 'A page of payments', content: json(bodies.payments) } },
    problems: ['store-unavailable'],
    handle: async ({ query: { status, userId, from, to, limit, cursor } }, exchange) => {
      const filter = { status: status ?? null, userId: userId ?? null, from: from ?? null, to: to ?? null }
      const page = await payments.list(viewerOf(identityIn(exchange)), filter, cursor ?? null, limit)
      if (page.isErr()) return problemOf(page.error)
      return representJson(exchange, pageBody('payment', page.value, paymentBody))
    },
  })
}

function paymentEndpoint(payments: PaymentsService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/payments/{id}',
    permission: 'payments:read',
    confinement: 'owner',
    summary: 'One payment',
    tag,
    params: paymentParameters,
    headers: conditions,
    successes: tagged('The payment', bodies.payment),
    problems: ['payment-not-found', 'invalid-header', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const payment = await payments.get(viewerOf(identityIn(exchange)), id)
      return payment.isErr() ? problemOf(payment.error) : representPayment(exchange, payment.value)
    },
  })
}

function statusEndpoint(payments: PaymentsService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/payments/{id}/status',
    permission: 'payments:read',
    confinement: 'owner',
    summary: 'How a payment stands',
    tag,
    params: paymentParameters,
    headers: conditions,
    successes: tagged('Its status', bodies.status),
    problems: ['payment-not-found', 'invalid-header', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const payment = await payments.get(viewerOf(identityIn(exchange)), id)
      if (payment.isErr()) return problemOf(payment.error)
      const body = encodedJson(paymentStatusBody(payment.value))
      return represent(exchange, { status: 200, headers: privateJson, body, etag: versionTag(payment.value.version) })
    },
  })
}

function verifyEndpoint(payments: PaymentsService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/payments/{id}/verify',
    permission: 'payments:read',
    confinement: 'owner',
    summary: 'Asks the Payment Service whether it sees the payment as this service does',
    description: 'Changes nothing. Lists what differs now, and what was found before and is still open.',
    tag,
    params: paymentParameters,
    successes: { 200: { description: 'What the two services hold', content: json(bodies.verification) } },
    problems: ['payment-not-found', 'payment-service-unavailable', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const verification = await payments.verify(viewerOf(identityIn(exchange)), id)
      if (verification.isErr()) return problemOf(verification.error)
      const headers = { ...privateJson, 'cache-control': 'private, no-store' }
      return represent(exchange, { status: 200, headers, body: encodedJson(verificationBody(verification.value)), etag: null })
    },
  })
}

function historyEndpoint(payments: PaymentsService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/payments/{id}/history',
    permission: 'payments:read',
    confinement: 'owner',
    summary: 'Everything that has happened to a payment, in order',
    tag,
    params: paymentParameters,
    query: z.strictObject({
      limit: limitParameter,
      cursor: pageCursor('payment-history', (position) => (/^[1-9]\d{0,14}$/.test(position) ? Number(position) : null)),
    }),
    successes: { 200: { description: 'A page of its history', content: json(bodies.history) } },
    problems: ['payment-not-found', 'store-unavailable'],
    handle: async ({ params: { id }, query: { limit, cursor } }, exchange) => {
      const page = await payments.history(viewerOf(identityIn(exchange)), id, cursor ?? 0, limit)
      if (page.isErr()) return problemOf(page.error)
      return representJson(exchange, pageBody('payment-history', page.value, historyBody))
    },
  })
}
