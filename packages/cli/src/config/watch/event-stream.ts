import type { Clock } from '@cbp/core'
import { createParser } from 'eventsource-parser'

/** One message of a stream of server-sent events. */
export type StreamMessage = Readonly<{ id: string | null; data: string }>

/** How a stream came to its end. */
export type StreamEnd = Readonly<{ kind: 'closed' | 'stalled' | 'overflow' | 'broken'; reason: string }>

export type StreamListener = Readonly<{
  /** A message with data; the next is read when it resolves. `false` ends the stream. */
  onMessage: (message: StreamMessage) => Promise<boolean>
  /** An id without data: a heartbeat that says how far everything has been sent. */
  onId: (id: string) => void
  onRetry: (ms: number) => void
}>

const messageLimit = 4 * 1024 * 1024

/** Reads a stream to its end; one that is silent for `silenceMs` has ended too, whatever the connection says. */
export async function readEventStream(
  body: ReadableStream<Uint8Array>,
  { clock, silenceMs }: Readonly<{ clock: Clock; silenceMs: number }>,
  listener: StreamListener,
): Promise<StreamEnd> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const waiting: StreamMessage[] = []
  let overflow = false
  const parser = createParser({
    maxBufferSize: messageLimit,
    // The id of a message is told before its data; it counts only once the data was taken.
    onId: (id) => waiting.push({ id, data: '' }),
    onEvent: ({ id = null, data }) => {
      if (id !== null) waiting.pop()
      waiting.push({ id, data })
    },
    onRetry: listener.onRetry,
    onError: ({ type }) => {
      overflow ||= type === 'max-buffer-size-exceeded'
    },
  })
  try {
    for (;;) {
      const chunk = await nextChunk(reader, clock, silenceMs)
      if (chunk === 'silent') return { kind: 'stalled', reason: `nothing was heard for ${silenceMs / 1000} s` }
      if (chunk === null) return { kind: 'closed', reason: 'the service closed the connection' }
      parser.feed(decoder.decode(chunk, { stream: true }))
      if (overflow) return { kind: 'overflow', reason: `a message was larger than ${messageLimit} characters` }
      if (!(await hand(waiting, listener))) return { kind: 'closed', reason: 'a message could not be read' }
    }
  } catch (error) {
    return { kind: 'broken', reason: error instanceof Error ? error.message : String(error) }
  } finally {
    void reader.cancel().catch(() => {})
  }
}

async function hand(waiting: StreamMessage[], listener: StreamListener): Promise<boolean> {
  for (const message of waiting.splice(0)) {
    if (message.data !== '') {
      if (!(await listener.onMessage(message))) return false
    } else if (message.id !== null) listener.onId(message.id)
  }
  return true
}

async function nextChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  clock: Clock,
  silenceMs: number,
): Promise<Uint8Array | null | 'silent'> {
  const heard = new AbortController()
  const silence = clock.sleep(silenceMs, heard.signal).then(() => 'silent' as const)
  try {
    const next = await Promise.race([reader.read(), silence])
    if (next === 'silent') return next
    return next.done ? null : next.value
  } finally {
    heard.abort()
  }
}
