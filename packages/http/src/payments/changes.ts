import type { Answered, Currency, Payment, PaymentId, PaymentsService } from '@cbp/core'
import { viewerOf } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import type { ProblemCode } from '../problems/catalogue.ts'
import { problemOf } from '../problems/from-core.ts'
import type { Problem } from '../problems/problem.ts'
import { type Answer, encoded, privateJson, represent } from '../server/answer.ts'
import { type Endpoint, endpoint, json, type SuccessDocumentation, smallBodyBytes } from '../server/endpoint.ts'
import { callerOf, type Exchange, identityIn } from '../server/exchange.ts'
import { reason as reasonText } from '../server/parameters.ts'
import { isMatched, requireVersionMatch, type VersionMatch } from '../server/version-tags.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import { createdAnswer, processedAnswer, readKeptAnswer } from './kept-answer.ts'
import { mergePatch } from './merge-patch.ts'
import { bodies, type PaymentPatch } from './schemas.ts'
import { paymentParameters, representPayment, tag } from './shared.ts'

const etag = { etag: 'Strong; made of the version, for If-Match' }
const repeatable = {
  'idempotency-key': '1 to 255 visible ASCII characters, or a string in double quotes. Kept for 7 days',
}
const repeatableProblems: readonly ProblemCode[] = [
  'idempotency-key-required',
  'invalid-header',
  'request-in-flight',
  'idempotency-key-reused',
  'store-unavailable',
]
const conditions = { 'if-match': 'The ETag of the payment, or `*` for whatever it is' }
const conditionalProblems: readonly ProblemCode[] = [
  'payment-not-found',
  'payment-state-conflict',
  'stale-payment',
  'precondition-required',
  'invalid-header',
  'store-unavailable',
]
const answered = (description: string, headers: Readonly<Record<string, string>>): SuccessDocumentation => ({
  description,
  content: json(bodies.payment),
  headers: { ...etag, ...headers },
})
const replayed = { 'idempotency-replayed': '`true` when this is the first answer again' }
const noMetadata: Readonly<Record<string, string>> = {}

export function changeEndpoints(payments: PaymentsService): readonly Endpoint[] {
  return [createEndpoint(payments), amendEndpoint(payments), cancelEndpoint(payments), processEndpoint(payments)]
}

function createEndpoint(payments: PaymentsService): Endpoint {
  return endpoint({
    method: 'post',
    path: '/payments',
    permission: 'payments:write',
    confinement: 'owner',
    summary: 'Creates a payment',
    description: 'The same Idempotency-Key and body get the first answer again, byte for byte. Nothing is sent to the Payment Service yet.',
    tag,
    bodyLimitBytes: smallBodyBytes,
    body: bodies.create,
    requiredHeaders: repeatable,
    successes: { 201: answered('The payment, PENDING', { location: 'Its path', ...replayed }) },
    problems: [...repeatableProblems, 'duplicate-reference'],
    handle: async ({ body: { amount, currency, payee, userId, reference, metadata } }, exchange) => {
      const idempotency = readIdempotencyKey(exchange)
      if ('code' in idempotency) return idempotency
      const created = await payments.create({
        details: {
          amount,
          currency: currency as Currency,
          payee,
          userId,
          reference: reference ?? null,
          metadata: metadata ?? noMetadata,
        },
        caller: callerOf(exchange),
        idempotency: { key: idempotency.key, answerOf: createdAnswer },
      })
      return created.isErr() ? problemOf(created.error) : representKept(exchange, created.value)
    },
  })
}

function processEndpoint(payments: PaymentsService): Endpoint {
  return endpoint({
    method: 'post',
    path: '/payments/{id}/process',
    permission: 'payments:write',
    confinement: 'owner',
    summary: 'Instructs the Payment Service, at most once',
    description: 'Takes no body. What has no end yet is settled by the webhook of the Payment Service, or by asking it.',
    tag,
    params: paymentParameters,
    requiredHeaders: repeatable,
    successes: {
      200: answered('The payment, COMPLETED or FAILED', replayed),
      202: answered('The payment, PROCESSING or UNKNOWN', { location: 'Where to see how it stands', ...replayed }),
    },
    problems: [...repeatableProblems, 'payment-not-found', 'payment-state-conflict'],
    handle: async ({ params: { id } }, exchange) => {
      const idempotency = readIdempotencyKey(exchange)
      if ('code' in idempotency) return idempotency
      const processed = await payments.process({
        id,
        viewer: viewerOf(identityIn(exchange)),
        caller: callerOf(exchange),
        idempotency: { key: idempotency.key, answerOf: processedAnswer },
      })
      return processed.isErr() ? problemOf(processed.error) : representKept(exchange, processed.value)
    },
  })
}

/** Every repetition of a request, and its first time too, is answered from what was kept. */
function representKept(exchange: Exchange, { answer, value }: Answered<Payment>): Promise<Answer | Problem> {
  const { status, location, etag: kept, body } = readKeptAnswer(answer)
  const headers = {
    ...privateJson,
    ...(location === null ? {} : { location }),
    ...(value === null ? { 'idempotency-replayed': 'true' } : {}),
  }
  return represent(exchange, { status, headers, body: encoded(body), etag: kept })
}

function amendEndpoint(payments: PaymentsService): Endpoint {
  return endpoint({
    method: 'patch',
    path: '/payments/{id}',
    permission: 'payments:write',
    confinement: 'owner',
    summary: 'Amends a payment that is PENDING',
    description: 'The body is a JSON Merge Patch (RFC 7396), under either media type.',
    tag,
    params: paymentParameters,
    bodyLimitBytes: smallBodyBytes,
    body: bodies.patch,
    bodyTypes: ['application/merge-patch+json', 'application/json'],
    requiredHeaders: conditions,
    successes: { 200: answered('The payment as it is now', {}) },
    problems: conditionalProblems,
    handle: async ({ params: { id }, body }, exchange) => {
      const match = requireVersionMatch(exchange)
      if (typeof match === 'object' && 'code' in match) return match
      return amend(payments, exchange, id, match, body)
    },
  })
}

/** A patch is merged into one version, so it is written over that version alone: if another comes between, merged anew. */
const mergesAtMost = 5

async function amend(
  payments: PaymentsService,
  exchange: Exchange,
  id: PaymentId,
  match: VersionMatch,
  patch: PaymentPatch,
): Promise<Answer | Problem> {
  const viewer = viewerOf(identityIn(exchange))
  for (let merges = 1; ; merges += 1) {
    const found = await payments.get(viewer, id)
    if (found.isErr()) return problemOf(found.error)
    const { version } = found.value
    const amended = await payments.amend({
      id,
      viewer,
      caller: callerOf(exchange),
      match: isMatched(match, version) ? [version] : match,
      amendment: mergePatch(found.value, patch),
    })
    if (amended.isOk()) return representPayment(exchange, amended.value)
    const { error } = amended
    const isOvertaken = error.kind === 'stale-payment' && isMatched(match, error.payment.version)
    if (!isOvertaken || merges === mergesAtMost) return problemOf(error)
  }
}

function cancelEndpoint(payments: PaymentsService): Endpoint {
  return endpoint({
    method: 'delete',
    path: '/payments/{id}',
    permission: 'payments:write',
    confinement: 'owner',
    summary: 'Cancels a payment that is PENDING',
    description: 'The payment stays, CANCELLED.',
    tag,
    params: paymentParameters,
    query: z.strictObject({ reason: reasonText.optional() }),
    requiredHeaders: conditions,
    successes: { 200: answered('The payment, CANCELLED', {}) },
    problems: conditionalProblems,
    handle: async ({ params: { id }, query: { reason } }, exchange) => {
      const match = requireVersionMatch(exchange)
      if (typeof match === 'object' && 'code' in match) return match
      const viewer = viewerOf(identityIn(exchange))
      const cancelled = await payments.cancel({ id, viewer, caller: callerOf(exchange), match, reason: reason ?? null })
      return cancelled.isErr() ? problemOf(cancelled.error) : representPayment(exchange, cancelled.value)
    },
  })
}
