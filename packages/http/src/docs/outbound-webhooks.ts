import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { webhookMessages, webhookSchema } from './message-schemas.ts'

type Registry = OpenAPIHono['openAPIRegistry']

const headers = z.object({
  'webhook-id': z.uuid().openapi({ description: 'The same in every attempt; new on replay' }),
  'webhook-timestamp': z.string().openapi({ description: 'Seconds since 1970, of this attempt' }),
  'webhook-signature': z.string().openapi({ description: 'One `v1,<base64>` for each secret that counts, with spaces between' }),
  traceparent: z.string().optional().openapi({ description: 'W3C Trace Context' }),
  'cbp-replay': z.literal('true').optional().openapi({ description: 'Only on what was replayed' }),
})

/** Adds to the document what subscribers get. */
export function registerOutboundWebhooks(registry: Registry): void {
  for (const type of webhookMessages) {
    const schema = webhookSchema(type, 'draft-2020-12')
    registry.registerWebhook({
      method: 'post',
      path: type,
      operationId: `webhook${type
        .split('_')
        .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
        .join('')}`,
      summary: String(schema['description']),
      tags: ['Webhooks'],
      security: [],
      request: { headers, body: { required: true, content: { 'application/json': { schema } } } },
      responses: {
        '2XX': { description: 'Taken; nothing of the body is looked at' },
        410: { description: 'Gone: the subscription is disabled' },
        default: { description: 'Tried again, with growing pauses. A redirect counts as a failure' },
      },
    })
  }
}
