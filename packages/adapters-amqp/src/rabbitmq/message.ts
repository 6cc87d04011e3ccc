import { type Delivery, type DomainEvent, eventTypes, type SequencedEvent, type Stream, type Uuid, wireBody } from '@cbp/core'
import type { Message, Options } from 'amqplib'

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const knownTypes: ReadonlySet<string> = new Set(eventTypes)

export function contentOf({ event }: SequencedEvent): Buffer {
  return Buffer.from(wireBody(event))
}

/** All that is in an event beside the body. */
export function optionsOf({ id, stream, sequence, event, occurredAt, traceparent }: SequencedEvent): Options.Publish {
  const headers = { 'cbp-stream': stream, 'cbp-sequence': sequence, 'cbp-occurred-at': occurredAt }
  return {
    mandatory: true,
    persistent: true,
    messageId: id,
    type: event.type,
    contentType: 'application/json',
    headers: traceparent === null ? headers : { ...headers, traceparent },
  }
}

/** The event in a message; `null` when it is none of ours. */
export function deliveryOf({ content, properties }: Message): Delivery | null {
  const headers = properties.headers ?? {}
  const { messageId: id } = properties as Readonly<{ messageId: unknown }>
  const { traceparent } = headers as Readonly<{ traceparent?: unknown }>
  const [stream, sequence, occurredAt]: readonly unknown[] = [headers['cbp-stream'], headers['cbp-sequence'], headers['cbp-occurred-at']]
  if (typeof id !== 'string' || !uuidForm.test(id)) return null
  if (typeof stream !== 'string' || stream === '' || !isWhole(sequence) || sequence < 1 || !isWhole(occurredAt)) return null
  if (traceparent !== undefined && typeof traceparent !== 'string') return null
  const event = eventOf(content)
  if (event === null) return null
  return {
    id: id as Uuid,
    stream: stream as Stream,
    sequence,
    event,
    occurredAt,
    traceparent: traceparent ?? null,
    replayed: headers['cbp-replay'] === true,
  }
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

/** As far as routing and consumers rely on it; a consumer that cannot apply a payload says so. */
function eventOf(content: Buffer): DomainEvent | null {
  try {
    const body: unknown = JSON.parse(content.toString())
    if (typeof body !== 'object' || body === null) return null
    const { type, payload } = body as Readonly<{ type?: unknown; payload?: unknown }>
    if (typeof type !== 'string' || !knownTypes.has(type) || typeof payload !== 'object' || payload === null) return null
    return { type, payload } as DomainEvent
  } catch {
    return null
  }
}
