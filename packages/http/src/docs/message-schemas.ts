import { type EventType, eventSchemas, eventTypes, type WebhookType, webhookTypes } from '@cbp/core'
import { z } from '@hono/zod-openapi'

export type JsonSchema = Readonly<Record<string, unknown>>

/** AsyncAPI 3.0 builds on draft 7, OpenAPI 3.1 on draft 2020-12. */
export type Draft = 'draft-7' | 'draft-2020-12'

export type WebhookMessage = WebhookType | 'TEST'

export const webhookMessages: readonly WebhookMessage[] = [...webhookTypes, 'TEST']

/** Names of their own for one kind of event; the payload is the same. */
const specific: Partial<Readonly<Record<WebhookMessage, Readonly<{ event: EventType; description: string }>>>> = {
  PAYMENT_COMPLETED: { event: 'PAYMENT_UPDATED', description: 'A payment was completed.' },
  PAYMENT_FAILED: { event: 'PAYMENT_UPDATED', description: 'A payment has failed.' },
}

const test = z
  .strictObject({ type: z.literal('TEST'), payload: z.strictObject({ subscriptionId: z.uuid(), timestamp: z.iso.datetime() }) })
  .meta({ title: 'TEST', description: 'Asked for by the owner of the subscription.' })

export function eventSchema(type: EventType, draft: Draft): JsonSchema {
  return schemaOf(eventSchemas[type], draft)
}

/** What a subscriber gets: the very events, and the types that only webhooks have. */
export function webhookSchema(type: WebhookMessage, draft: Draft): JsonSchema {
  if (type === 'TEST') return schemaOf(test, draft)
  const alias = specific[type]
  if (alias === undefined) return isEvent(type) ? eventSchema(type, draft) : {}
  const schema = eventSchema(alias.event, draft)
  const properties = schema['properties'] as Readonly<Record<string, JsonSchema>>
  return {
    ...schema,
    title: type,
    description: alias.description,
    properties: { ...properties, type: { ...properties['type'], const: type } },
  }
}

function isEvent(type: WebhookMessage): type is EventType {
  return (eventTypes as readonly string[]).includes(type)
}

function schemaOf(schema: z.ZodType, draft: Draft): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: draft })
  return rest
}
