import { type EventType, eventTypes, routingKey } from '@cbp/core'
import { eventSchema, type JsonSchema, type WebhookMessage, webhookMessages, webhookSchema } from './message-schemas.ts'

type Parts = Readonly<Record<string, unknown>>

const description = `Events and webhooks of the CBP Config API.

Events are published to the durable topic exchange \`events\`, persistent and at least once; the AMQP \`message-id\` is the id of
the event, by which consumers drop repetitions. The events of one stream carry \`cbp-sequence\` 1, 2, 3 …, in which order they are
first delivered. Webhooks carry the same bodies to the subscribers of POST /webhooks/subscriptions, signed as Standard Webhooks has it.`

const traceparent = { type: 'string', description: 'W3C Trace Context of the request behind it' }
const replay = { type: 'string', const: 'true', description: 'Only on what was replayed' }

const eventHeaders: JsonSchema = {
  type: 'object',
  required: ['cbp-stream', 'cbp-sequence'],
  properties: {
    'cbp-stream': { type: 'string', description: 'The ordered history it belongs to', examples: ['config-payments'] },
    'cbp-sequence': { type: 'integer', minimum: 1, description: 'Its place in the stream, without gaps' },
    traceparent,
    'cbp-replay': replay,
  },
}

const webhookHeaders: JsonSchema = {
  type: 'object',
  required: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  properties: {
    'webhook-id': { type: 'string', format: 'uuid', description: 'The same in every attempt; new on replay' },
    'webhook-timestamp': { type: 'string', pattern: '^[0-9]+$', description: 'Seconds since 1970, of this attempt' },
    'webhook-signature': { type: 'string', description: 'One `v1,<base64>` for each secret that counts, with spaces between' },
    traceparent,
    'cbp-replay': replay,
  },
}

const reference = (to: string): Parts => ({ $ref: `#/${to}` })

/** The AsyncAPI 3.0 document, made of the schemas that core publishes by. */
export function asyncApiDocument(version: string): Parts {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'CBP Config API: events and webhooks',
      version,
      description,
      license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' },
    },
    defaultContentType: 'application/json',
    channels: { ...Object.fromEntries(eventTypes.map(eventChannel)), webhooks: webhookChannel() },
    operations: { ...Object.fromEntries(eventTypes.map(eventOperation)), sendWebhook: webhookOperation() },
    components: {
      messages: Object.fromEntries([...eventTypes.map(eventMessage), ...webhookMessages.map(webhookMessage)]),
    },
  }
}

function eventChannel(type: EventType): [string, Parts] {
  const channel = {
    address: routingKey(type),
    messages: { [type]: reference(`components/messages/${type}`) },
    bindings: {
      amqp: {
        is: 'routingKey',
        exchange: { name: 'events', type: 'topic', durable: true, autoDelete: false, vhost: '/' },
        bindingVersion: '0.3.0',
      },
    },
  }
  return [routingKey(type), channel]
}

function eventOperation(type: EventType): [string, Parts] {
  const channel = `channels/${routingKey(type)}`
  const operation = {
    action: 'send',
    channel: reference(channel),
    messages: [reference(`${channel}/messages/${type}`)],
    bindings: { amqp: { deliveryMode: 2, mandatory: true, ack: true, bindingVersion: '0.3.0' } },
  }
  return [`publish.${routingKey(type)}`, operation]
}

function eventMessage(type: EventType): [string, Parts] {
  const payload = eventSchema(type, 'draft-7')
  return [type, { name: type, title: type, summary: payload['description'], headers: eventHeaders, payload }]
}

function webhookChannel(): Parts {
  return {
    address: null,
    description: 'POST to the URL of each subscription.',
    messages: Object.fromEntries(webhookMessages.map((type) => [type, reference(`components/messages/${webhookName(type)}`)])),
  }
}

function webhookOperation(): Parts {
  return {
    action: 'send',
    channel: reference('channels/webhooks'),
    messages: webhookMessages.map((type) => reference(`channels/webhooks/messages/${type}`)),
    bindings: { http: { method: 'POST', bindingVersion: '0.3.0' } },
  }
}

function webhookMessage(type: WebhookMessage): [string, Parts] {
  const payload = webhookSchema(type, 'draft-7')
  const name = webhookName(type)
  return [name, { name, title: type, summary: payload['description'], headers: webhookHeaders, payload }]
}

function webhookName(type: WebhookMessage): string {
  return `webhook.${type}`
}
