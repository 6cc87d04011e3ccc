import { type ClientRequest, type IncomingMessage, request } from 'node:http'

export type StreamEvent = Readonly<{ event: string; id: string; data: Record<string, unknown> & { revision: number; reason?: string } }>

export type EventStream = Readonly<{
  response: IncomingMessage
  /** The next event; `null` when the stream has ended. */
  next: () => Promise<StreamEvent | null>
  /** The next event of one kind; others are passed over. */
  nextOf: (kind: string) => Promise<StreamEvent | null>
  cut: () => void
}>

/** A client of server-sent events that shows every event as it was sent, and can be cut off at any moment. */
export function openStream(url: string, headers: Readonly<Record<string, string>>): Promise<EventStream> {
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request(url, { headers, agent: false }, (response) => {
      const events = readEvents(response)
      const next: EventStream['next'] = async () => {
        const read = await events.next()
        return read.done === true ? null : read.value
      }
      const nextOf: EventStream['nextOf'] = async (kind) => {
        for (let event = await next(); event !== null; event = await next()) if (event.event === kind) return event
        return null
      }
      resolve({ response, next, nextOf, cut: () => sent.destroy() })
    })
    sent.on('error', reject)
    sent.end()
  })
}

async function* readEvents(response: IncomingMessage): AsyncGenerator<StreamEvent> {
  let text = ''
  response.setEncoding('utf8')
  try {
    for await (const chunk of response) {
      text += chunk
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const event = parseEvent(text.slice(0, end))
        text = text.slice(end + 2)
        if (event !== null) yield event
      }
    }
  } catch {
    // Cut off: what has not arrived whole does not count.
  }
}

function parseEvent(block: string): StreamEvent | null {
  const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const))
  const event = fields.get('event')
  return event === undefined ? null : { event, id: fields.get('id') ?? '', data: JSON.parse(fields.get('data') ?? '{}') }
}
