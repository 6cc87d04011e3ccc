import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi'
import { attemptBody, instructionBody, problemBody, problemCodes, statusWebhookBody } from './wire.ts'

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>
type Responses = RouteConfig['responses']

const description = `What CBP Config API asks of a Payment Service: two operations on attempts, and one webhook back.

**Laws**

1. *Same attempt, same instruction.* An attempt id names one instruction for ever. Instructing it again with the same content
   changes nothing and answers its present state, however often, however late, and whatever became of the first answer. With
   other content: 409 \`${problemCodes.mismatch}\`. The attempt id is also sent as Idempotency-Key.
2. *At most once.* An attempt is carried out once or not at all. The client tries again after lost connections, time-outs,
   429, 502, 503 and 504.
3. *Never after \`notAfter\`.* An attempt that has not begun before that instant never begins: 422 \`${problemCodes.expired}\`,
   also for a request that was on its way for long. One that has begun goes on and is answered as ever.
4. *Finding is final after \`notAfter\`.* From then on, 404 \`${problemCodes.unknownAttempt}\` means that the attempt never was and
   never will be carried out; the client marks the payment as failed. Reads therefore see every attempt that has begun, also
   right after a failover: a replica that lags must not answer them. Clocks on both sides agree to 5 seconds.
   An attempt that has begun stays known for at least 31 days: settled payments are asked after again.
5. *Refusals are certain.* 422 or 400 with \`${problemCodes.refused}\` or \`${problemCodes.expired}\`: nothing was done, and will not be. No other
   answer is taken as a refusal; without an agreed code a status says nothing about the payment.
6. *Status only moves on*: PROCESSING to COMPLETED or FAILED, COMPLETED to REVERSED. Each change but those that the answer
   to the instruction told already is sent as a webhook, again until it is answered with 2xx or given up; what is missed is asked for.

Times are UTC with milliseconds. Amounts are integers in the currency's minor unit. Unknown members of answers are ignored.
The sender of a problem or a reason keeps names, accounts and secrets out of it. Redirects are not followed; answers are at
most 64 KiB.`

const parameters = z.object({
  attemptId: z.uuidv7().openapi({ param: { name: 'attemptId', in: 'path' }, description: 'The id of the attempt, a UUIDv7 in lower case' }),
})

const trace = {
  traceparent: z.string().optional().openapi({ description: 'W3C Trace Context' }),
}

const attempt = { 'application/json': { schema: attemptBody } }

function problem(text: string): Responses[string] {
  return { description: text, content: { 'application/problem+json': { schema: problemBody } } }
}

const common: Responses = {
  401: problem('The token is missing or wrong. Says nothing about the attempt.'),
  403: problem('The token does not allow this. Says nothing about the attempt.'),
  429: {
    ...problem('Too many requests. Retry-After is honoured where it fits into the deadline of the call.'),
    headers: { 'retry-after': { schema: { type: 'string' }, description: 'Seconds, or an HTTP date' } },
  } as Responses[string],
  503: {
    ...problem('Not now. Says nothing about the attempt.'),
    headers: { 'retry-after': { schema: { type: 'string' }, description: 'Seconds, or an HTTP date' } },
  } as Responses[string],
}

const instruct: RouteConfig = {
  method: 'put',
  path: '/attempts/{attemptId}',
  operationId: 'instruct',
  summary: 'Carry out a payment, once for this attempt',
  security: [{ bearer: [] }],
  request: {
    params: parameters,
    headers: z.object({
      'idempotency-key': z.uuidv7().openapi({ description: 'The attempt id again' }),
      ...trace,
    }),
    body: { required: true, content: { 'application/json': { schema: instructionBody } } },
  },
  responses: {
    ...common,
    200: { description: 'The present state of the attempt', content: attempt },
    202: { description: 'The present state of the attempt, which is still being carried out', content: attempt },
    400: problem(`\`${problemCodes.refused}\`: as with 422. Any other code: the request is not understood; the payment stays open.`),
    409: problem(`\`${problemCodes.mismatch}\`: the attempt is known with other content`),
    422: problem(
      `\`${problemCodes.refused}\`: this attempt will not be carried out, and nothing was done; \`detail\` is shown to the payer.\n\n` +
        `\`${problemCodes.expired}\`: it came too late to begin.`,
    ),
  },
}

const find: RouteConfig = {
  method: 'get',
  path: '/attempts/{attemptId}',
  operationId: 'find',
  summary: 'What became of an attempt',
  security: [{ bearer: [] }],
  request: { params: parameters },
  responses: {
    ...common,
    200: { description: 'The present state of the attempt', content: attempt },
    404: problem(
      `\`${problemCodes.unknownAttempt}\`: no such attempt, yet; after its notAfter, ever. Without this code a 404 says nothing.`,
    ),
  },
}

const statusChanged: RouteConfig = {
  method: 'post',
  path: 'payment-status',
  operationId: 'paymentStatusChanged',
  summary: 'A payment has a new status',
  description:
    'Sent to `POST /webhooks/payment-status` of CBP Config API, signed as Standard Webhooks says: HMAC-SHA256 over ' +
    '`webhook-id.webhook-timestamp.body`. The same message keeps its `webhook-id` however often it is sent; ids are remembered ' +
    'for 7 days. The order of arrival does not matter.',
  security: [],
  request: {
    headers: z.object({
      'webhook-id': z.string().openapi({ description: 'One for each message' }),
      'webhook-timestamp': z.string().regex(/^\d+$/).openapi({ description: 'Of this try, in Unix seconds; within 300 s of the receiver' }),
      'webhook-signature': z.string().openapi({ description: 'Space-separated `v1,<base64>`, one for each secret in use' }),
    }),
    body: { required: true, content: { 'application/json': { schema: statusWebhookBody } } },
  },
  responses: {
    200: { description: 'Recorded, whether or not it changed anything' },
    401: { description: 'Signature or timestamp are wrong; nothing was changed' },
    422: { description: 'The body does not fit' },
    503: { description: 'Not now: to be sent again' },
  },
}

/**
 * The interface that a Payment Service has to offer, made from the schemas that the client validates with.
 *
 * @param version of this service, which the interface changes with
 */
export function paymentServiceDocument(version: string): Document {
  const { openAPIRegistry: registry, getOpenAPI31Document: documentOf } = new OpenAPIHono()
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  registry.registerPath(instruct)
  registry.registerPath(find)
  registry.registerWebhook(statusChanged)
  return documentOf({
    openapi: '3.1.0',
    info: { title: 'CBP Payment Service', version, description, license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' } },
    servers: [{ url: '/', description: 'Wherever CBP_PAYMENT_SERVICE_URL points' }],
  })
}
