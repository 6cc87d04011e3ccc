import type { ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip as gzipCallback } from 'node:zlib'
import type { Problem } from '../problems/problem.ts'
import { isNamedBy, malformedTags } from './entity-tags.ts'
import type { Exchange } from './exchange.ts'

/** A whole body with its compressed form, which is made when it is first asked for. */
export type Encoded = {
  /** Short text stays text: node sends it with the header in one write, bytes only in a second. */
  readonly content: string | Uint8Array
  readonly length: number
  gzip: Uint8Array | null
}

export type Answer = Readonly<{
  status: number
  headers: Readonly<Record<string, string>>
  body: string | Uint8Array | null
  /** Bytes in the body. */
  length: number
}>

/** An answer that is written piece by piece to the node response; `run` resolves when it has ended. */
export type StreamedAnswer = Readonly<{
  status: number
  run: (outgoing: ServerResponse, headers: Readonly<Record<string, string>>) => Promise<void>
}>

const gzip = promisify(gzipCallback)
/** Below this a body fits into one packet anyway, and compressing costs more than it saves. */
const compressFromBytes = 1400
/** From here on the writes of an answer share one copy of its bytes; of text each would make its own, for as long as its reader takes. */
const bytesFrom = 16 * 1024

/** Answers that depend on who asks. They may be kept by that client alone, and are held against the server each time. */
export const privateJson: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'cache-control': 'private, no-cache',
  vary: 'Authorization, Accept-Encoding',
}

export const publicJson: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'cache-control': 'no-cache',
  vary: 'Accept-Encoding',
}

export function encoded(text: string): Encoded {
  if (text.length < bytesFrom) return { content: text, length: Buffer.byteLength(text), gzip: null }
  return encodedBytes(Buffer.from(text, 'utf8'))
}

export function encodedBytes(bytes: Uint8Array): Encoded {
  return { content: bytes, length: bytes.length, gzip: null }
}

export function answerWith(status: number, headers: Answer['headers'], { content, length }: Encoded): Answer {
  return { status, headers, body: content, length }
}

export function answerWithout(status: number, headers: Answer['headers']): Answer {
  return { status, headers, body: null, length: 0 }
}

export function encodedJson(value: unknown): Encoded {
  return encoded(JSON.stringify(value))
}

/** What a read without an entity tag answers: JSON for this caller alone. */
export function representJson(exchange: Exchange, value: unknown): Promise<Answer | Problem> {
  return represent(exchange, { status: 200, headers: privateJson, body: encodedJson(value), etag: null })
}

/** A whole body, compressed where that pays; with a strong ETag also 304 (RFC 9110, 13.1.2) for reads. */
export async function represent(
  exchange: Exchange,
  given: Readonly<{ status: number; headers: Readonly<Record<string, string>>; body: Encoded; etag: string | null }>,
): Promise<Answer | Problem> {
  const { status, headers, body, etag } = given
  const compress = body.length >= compressFromBytes && acceptsGzip(exchange.header('accept-encoding'))
  const tagged = etag === null ? headers : { ...headers, etag: compress ? `${etag.slice(0, -1)}-gzip"` : etag }
  if (etag !== null && status === 200 && isRead(exchange)) {
    const ifNoneMatch = exchange.header('if-none-match')
    const isNamed = ifNoneMatch !== undefined && isNamedBy(ifNoneMatch, etag)
    if (isNamed === null) return malformedTags('if-none-match')
    if (isNamed) return answerWithout(304, withoutType(tagged))
  }
  if (!compress) return answerWith(status, tagged, body)
  body.gzip ??= await gzip(body.content, { level: 6 })
  return answerWith(status, { ...tagged, 'content-encoding': 'gzip' }, encodedBytes(body.gzip))
}

function isRead({ method }: Exchange): boolean {
  return method === 'GET' || method === 'HEAD'
}

function withoutType(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { 'content-type': _type, ...rest } = headers
  return rest
}

const accepted = new Map<string, boolean>()
const acceptedCapacity = 256

/** Whether gzip is acceptable (RFC 9110, 12.5.3). Clients send few different fields, so answers are remembered. */
function acceptsGzip(field: string | undefined): boolean {
  if (field === undefined) return false
  const known = accepted.get(field)
  if (known !== undefined) return known
  const answer = weighGzip(field)
  if (accepted.size >= acceptedCapacity) accepted.clear()
  accepted.set(field, answer)
  return answer
}

function weighGzip(field: string): boolean {
  const weights = new Map<string, number>()
  for (const part of field.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((word) => word.trim())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    weights.set(coding, weight === undefined ? 1 : Number(weight.slice(2)))
  }
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0
}
