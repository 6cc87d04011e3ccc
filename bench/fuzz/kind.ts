import type { Draft, Json, Operation } from './draft.ts'
import type { Wire } from './wire.ts'

/** Chooses for a kind of wrongness, always alike for one seed. */
export type Dice = Readonly<{ below: (limit: number) => number; of: <T>(items: readonly T[]) => T }>

/** One named way in which a request is spoilt, or just unusual. */
export type Kind = Readonly<{ name: string; fits: (operation: Operation) => boolean; make: (draft: Draft, dice: Dice) => Wire }>

/** mulberry32, by Tommy Ettinger. */
export function dice(seed: number): Dice {
  let state = seed
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit) | 0
  }
  return { below, of: (items) => items[below(items.length)] as (typeof items)[number] }
}

export const any = (): boolean => true
export const hasBody = ({ body }: Operation): boolean => body !== null
export const hasPathNames = ({ path }: Operation): boolean => path.includes('{')

/** What may be different from the ordinary; `target`, `body` and `lines` go over the wire as they are. */
export type Parts = Readonly<{
  method?: string
  target?: string
  query?: Draft['query']
  headers?: Draft['headers']
  /** Instead of the JSON of the draft; `null` for none. */
  body?: string | Buffer | null
  version?: string
  /** Lines of the head, without checks, after the others. */
  lines?: readonly string[]
  /** Replaces content-length; `null` leaves it out. */
  length?: string | null
  host?: string | null
  isLast?: boolean
  hangsUp?: boolean
  isOwed?: boolean
}>

export function targetOf(draft: Draft, query: Draft['query'] = draft.query): string {
  const pairs = query.map(([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`)
  return `/${draft.segments.join('/')}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`
}

export function wire(draft: Draft, parts: Parts = {}): Wire {
  const method = parts.method ?? draft.method
  const given = parts.body === undefined ? (draft.body === undefined ? null : JSON.stringify(draft.body)) : parts.body
  const content = given === null ? null : Buffer.from(given as string)
  const length = parts.length === undefined ? (content === null ? null : String(content.length)) : parts.length
  const host = parts.host === undefined ? '127.0.0.1' : parts.host
  const head = [
    `${method} ${parts.target ?? targetOf(draft, parts.query)} ${parts.version ?? 'HTTP/1.1'}`,
    ...(host === null ? [] : [`host: ${host}`]),
    ...(parts.headers ?? signed(draft, content)).map(([name, value]) => `${name}: ${value}`),
    ...(length === null ? [] : [`content-length: ${length}`]),
    ...(parts.lines ?? []),
    '',
    '',
  ].join('\r\n')
  const bytes = Buffer.concat([Buffer.from(head, 'latin1'), content ?? Buffer.alloc(0)])
  return {
    bytes,
    isHead: method === 'HEAD',
    isLast: parts.isLast ?? false,
    hangsUp: parts.hangsUp ?? false,
    isOwed: parts.isOwed ?? parts.hangsUp !== true,
  }
}

/** Signed over what is really sent, so that it is looked at. */
function signed({ headers, sign }: Draft, content: Buffer | null): Draft['headers'] {
  if (sign === null || content === null) return headers
  return [...headers.filter(([name]) => !name.startsWith('webhook-')), ...sign(content)]
}

export function withHeader(draft: Draft, name: string, ...values: readonly string[]): Draft['headers'] {
  return [...draft.headers.filter(([each]) => each !== name), ...values.map((value) => [name, value] as const)]
}

type Holder = Readonly<{ path: readonly string[] }>

/** Where the members of a body stand. */
export function places(body: Json | undefined, path: readonly string[] = []): readonly Holder[] {
  if (typeof body !== 'object' || body === null) return []
  return Object.entries(body).flatMap(([name, value]) => [{ path: [...path, name] }, ...places(value as Json, [...path, name])])
}

/** The text of a body with `text` in one place of it. */
export function textWith(body: Json | undefined, path: readonly string[], text: string): string {
  const [name, ...rest] = path
  if (name === undefined || typeof body !== 'object' || body === null) return text
  if (Array.isArray(body)) {
    return `[${body.map((item: Json, index) => (String(index) === name ? textWith(item, rest, text) : JSON.stringify(item))).join(',')}]`
  }
  const members = Object.entries(body as Record<string, Json>)
  return `{${members.map(([each, value]) => `${JSON.stringify(each)}:${each === name ? textWith(value, rest, text) : JSON.stringify(value)}`).join(',')}}`
}
