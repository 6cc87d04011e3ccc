import type { Log, WebhooksService } from '@cbp/core'
import { problemOf } from '../problems/from-core.ts'
import { encodedJson, privateJson, represent } from '../server/answer.ts'
import type { Edge } from '../server/edge.ts'
import { type Endpoint, endpoint, json } from '../server/endpoint.ts'
import { readBytes } from '../server/validate.ts'
import { bodies } from './schemas.ts'
import { tag } from './shared.ts'

const bodyLimitBytes = 64 * 1024

/** Strict and whole: bytes that decode to the same text would share a signature. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const sender = 'payment-service'

/** Whoever signs well counts as the sender, wherever it comes from; whoever does not is a stranger at an address. */
type Counting = Pick<Edge, 'isSigned' | 'limits' | 'note'>

/** The Payment Service tells how a payment stands. No bearer: the signature says who speaks. */
export function receiveEndpoint(webhooks: WebhooksService, { isSigned, limits, note }: Counting, log: Log): Endpoint {
  return endpoint({
    method: 'post',
    path: '/webhooks/payment-status',
    permission: null,
    confinement: 'signature',
    traffic: 'webhook',
    bodyLimitBytes,
    summary: 'Takes a report of the Payment Service',
    description:
      'Standard Webhooks: the signature is checked over the raw body before anything is parsed. One webhook-id has one effect, however often it comes.',
    tag,
    rawBody: bodies.report,
    requiredHeaders: {
      'webhook-id': 'Names the message; the same in every attempt',
      'webhook-timestamp': 'Seconds since 1970, within 5 minutes of now',
      'webhook-signature': 'One or several `v1,<base64>` of HMAC-SHA256 over `id.timestamp.body`, with spaces between',
    },
    successes: { 200: { description: 'It was taken', content: json(bodies.received) } },
    problems: [
      'malformed-json',
      'bad-request',
      'signature-invalid',
      'payment-not-found',
      'request-timeout',
      'body-too-large',
      'invalid-body',
      'rate-limited',
      'store-unavailable',
    ],
    handle: async (_input, exchange) => {
      const bytes = await readBytes(exchange, bodyLimitBytes)
      if ('code' in bytes) return bytes
      const body = textOf(bytes)
      if (body === null) return problemOf({ kind: 'signature-invalid', reason: 'the body is not UTF-8' })
      const { requestId, traceparent } = exchange
      const id = exchange.header('webhook-id') ?? null
      const message = {
        id,
        timestamp: exchange.header('webhook-timestamp') ?? null,
        signature: exchange.header('webhook-signature') ?? null,
        body,
      }
      const isKnown = isSigned(message)
      const refusal = await (isKnown ? limits.ofClient(exchange, sender) : limits.ofAddress(exchange))
      if (refusal !== null) return refusal
      if (!isKnown) note({ action: 'signature.refused', actor: exchange.address.text, subject: null, requestId, details: {} })
      const received = await webhooks.receivePaymentStatus(message, { client: sender, requestId, traceparent })
      if (received.isErr()) {
        log.write('warn', 'an inbound webhook was refused', { requestId, webhookId: id?.slice(0, 256) ?? null, kind: received.error.kind })
        return problemOf(received.error)
      }
      log.write('info', 'an inbound webhook was taken', { requestId, webhookId: id, outcome: received.value.outcome })
      const headers = { ...privateJson, 'cache-control': 'no-store' }
      return represent(exchange, { status: 200, headers, body: encodedJson(received.value), etag: null })
    },
  })
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}
