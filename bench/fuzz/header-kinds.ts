import type { Draft } from './draft.ts'
import { any, hasBody, type Kind, type Parts, wire, withHeader } from './kind.ts'

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const soon = 4_000_000_000
const forged = (
  header: unknown,
  claims: unknown = { iss: 'cbp-development', aud: 'cbp-config-api', sub: 'x', exp: soon, scope: 'admin' },
): string => `Bearer ${part(header)}.${part(claims)}.${Buffer.alloc(64).toString('base64url')}`

/** One field that is set to something odd, by name. */
const fields: Readonly<Record<string, Readonly<{ name: string; values: readonly string[] }>>> = {
  'another scheme': {
    name: 'authorization',
    values: ['Basic YTpi', 'Digest x', 'Negotiate', 'bearer', 'Bearer', 'Bearer ', 'Token x', 'Bearer: x'],
  },
  'no token': {
    name: 'authorization',
    values: ['Bearer x', 'Bearer ..', 'Bearer a.b.c', 'Bearer null', 'Bearer undefined', 'Bearer {}', 'Bearer \xff'],
  },
  'a forged token': {
    name: 'authorization',
    values: [
      forged({ alg: 'none' }),
      forged({ alg: 'EdDSA', kid: '../../dev/null' }),
      forged({ alg: 'HS256', kid: 'x' }),
      forged({ alg: 'EdDSA', jku: 'http://127.0.0.1:9/' }),
      forged([]),
      forged({ alg: 'EdDSA' }, []),
      forged({ alg: 'EdDSA', crit: ['x'], x: 1 }),
    ],
  },
  'a long token': { name: 'authorization', values: [`Bearer ${'a'.repeat(12_000)}`, `Bearer ${'a.'.repeat(5_000)}`] },
  'an API key of nobody': {
    name: 'authorization',
    values: [
      'Bearer cbp_',
      'Bearer cbp_development_x_y_z',
      `Bearer cbp_${'_'.repeat(2_000)}`,
      'Bearer cbp_development_01890a5dac96774bbcceb302099a8057_AAAA_000000',
    ],
  },
  'odd tags to match': {
    name: 'if-match',
    values: [
      '',
      '"',
      '"a',
      'a"',
      ',',
      '*,*',
      '*, "1"',
      'W/',
      'w/"1"',
      '""',
      '"1" "2"',
      '"\xff"',
      '"r-1-a"',
      'null',
      `"${'t'.repeat(4_000)}"`,
    ],
  },
  'many tags to match': { name: 'if-match', values: [Array.from({ length: 1_000 }, (_, index) => `"${index}-a"`).join(',')] },
  'odd tags to have': {
    name: 'if-none-match',
    values: ['', '"', 'W/*', '**', '"1",', ',"1"', "'*'", '"\t"', `${'"a",'.repeat(2_000)}"b"`],
  },
  'an odd key of idempotency': {
    name: 'idempotency-key',
    values: ['', '""', '"', '"a', 'k'.repeat(256), 'k'.repeat(8_000), '\xe9', 'a b', '"a\\"b"', '__proto__', '{}'],
  },
  'an odd id of the request': {
    name: 'x-request-id',
    values: [
      '',
      ' ',
      '../x',
      '{"a":1}',
      'x'.repeat(200),
      '\x1b[31m',
      "x' or 1=1",
      '<script>',
      '%0d%0a',
      'a\tb',
      '__proto__',
      '4111111111111111',
    ],
  },
  'an odd trace': {
    name: 'traceparent',
    values: [
      '',
      '00',
      '00-0-0-0',
      `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`,
      'x'.repeat(4_000),
    ],
  },
  'an odd last event': { name: 'last-event-id', values: ['x', '-1', 'e1.1', '1.2.3', '9'.repeat(40), '\xff', 'a.999'] },
  'odd wishes': {
    name: 'accept',
    values: ['', 'text/html', 'image/*', ';;;', 'application/json;q=x', '*/*;q=0', 'a'.repeat(4_000), 'text/html,'.repeat(500)],
  },
  'odd codings': {
    name: 'accept-encoding',
    values: ['gzip;q=0', 'gzip;q=abc', 'br', 'identity;q=0, *;q=0', 'gzip;q=1e999', ';;', '\xff', 'gzip,'.repeat(1_000)],
  },
  'a method to use instead': { name: 'x-http-method-override', values: ['DELETE', 'PUT', 'TRACE'] },
  'an address of others': {
    name: 'x-forwarded-for',
    values: ['127.0.0.1', '::1, 10.0.0.1', 'x', '1.2.3.4, '.repeat(500), '[::1]:80', 'unknown', "'; --"],
  },
  'a forwarding': { name: 'forwarded', values: ['for=127.0.0.1;proto=https;host=evil.invalid', 'for="[::1]"', 'for=_x'] },
  'another target': { name: 'x-original-url', values: ['/audit', '/../', 'http://evil.invalid/'] },
  'another host': { name: 'x-forwarded-host', values: ['evil.invalid', '127.0.0.1:1', 'a b'] },
  'another user': { name: 'x-forwarded-user', values: ['admin', 'root'] },
  'a range': { name: 'range', values: ['bytes=0-0', 'bytes=-1', 'bytes=0-1,2-3,4-5', 'x=1', `bytes=${'0-1,'.repeat(1_000)}0-1`] },
  cookies: { name: 'cookie', values: ['session=admin', '__proto__=1', `a=${'c'.repeat(8_000)}`, ';;;='] },
  'an origin': { name: 'origin', values: ['https://evil.invalid', 'null', 'file://'] },
  'a date of the past': { name: 'if-modified-since', values: ['Thu, 01 Jan 1970 00:00:00 GMT', 'x', ''] },
  'an odd webhook': { name: 'webhook-signature', values: ['v1,', 'v1,AAAA', 'v2,x', `${'v1,AAAA '.repeat(1_000)}`, 'v1a,x', ','] },
  'an odd time of a webhook': { name: 'webhook-timestamp', values: ['0', '-1', '1e99', 'x', '99999999999999999999', '1.5', ' 1'] },
  'an odd id of a webhook': { name: 'webhook-id', values: ['', 'x'.repeat(5_000), '\xff', '__proto__', '{}', 'a b', 'msg_1'] },
  'blanks around': { name: 'if-match', values: ['   *   ', '\t"1"\t'] },
  'a field of a prototype': { name: '__proto__', values: ['polluted', '{"polluted":true}'] },
  'a terminal escape': { name: 'user-agent', values: ['\x1b]0;x', '\x7f'] },
  'a card number': { name: 'x-request-id', values: ['4111-1111-1111-1111', 'DE89370400440532013000'] },
}

/** They end the request in the parser, and the connection with it. */
function hasControl(value: string): boolean {
  return [...value].some((character) => (character < ' ' && character !== '\t') || character === '\x7f')
}

const fieldKinds: readonly Kind[] = Object.entries(fields).map(([what, { name, values }]) => ({
  name: `header: ${what}`,
  fits: any,
  make: (draft, { of }) => {
    const value = of(values)
    return wire(draft, { headers: withHeader(draft, name, value), isLast: hasControl(value) })
  },
}))

/** How heads are framed against the rules; the connection is over after each. */
const framings: Readonly<Record<string, (draft: Draft) => Parts>> = {
  'no credential': (draft) => ({ headers: withHeader(draft, 'authorization') }),
  'two credentials': (draft) => ({ headers: [...draft.headers, ['x-api-key', 'cbp_development_x_y_z']] }),
  'a credential twice': (draft) => ({ headers: [...draft.headers, ['authorization', 'Bearer x']] }),
  'more bytes than heads have': () => ({ lines: [`x-pad: ${'p'.repeat(20_000)}`] }),
  'two hundred fields': () => ({ lines: Array.from({ length: 200 }, (_, index) => `x-${index}: 1`) }),
  'three thousand fields': () => ({ lines: Array.from({ length: 3_000 }, (_, index) => `x${index}: 1`) }),
  'a folded line': () => ({ lines: ['x-folded: a', '  b'] }),
  'a blank before the colon': () => ({ lines: ['x-blank : 1'] }),
  'no colon': () => ({ lines: ['nonsense'] }),
  'no name': () => ({ lines: [': 1'] }),
  'a zero in a field': () => ({ lines: ['x-zero: a\0b'] }),
  'a lone carriage return': () => ({ lines: ['x-cr: a\rset-cookie: planted=1'] }),
  'lone line feeds': () => ({ lines: ['x-lf: a\nset-cookie: planted=1'] }),
  'letters beyond Latin': () => ({ lines: ['x-ü: 1'] }),
  'no host': () => ({ host: null }),
  'two hosts': () => ({ lines: ['host: other.invalid'] }),
  'an odd host': () => ({ host: 'a b/c?d#e' }),
  'a host with a user': () => ({ host: 'user:pass@127.0.0.1' }),
  'an empty host': () => ({ host: '' }),
  'a version of the past': () => ({ version: 'HTTP/1.0' }),
  'a version to come': () => ({ version: 'HTTP/2.0' }),
  'no version': () => ({ version: '' }),
  'another protocol': () => ({ version: 'ICAP/1.0' }),
  'an upgrade to websockets': () => ({
    lines: ['connection: upgrade', 'upgrade: websocket', 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-version: 13'],
  }),
  'an upgrade to HTTP/2': () => ({ lines: ['connection: upgrade, http2-settings', 'upgrade: h2c', 'http2-settings: AAMAAABkAAQAAP__'] }),
  'the preface of HTTP/2': () => ({ method: 'PRI', target: '*', version: 'HTTP/2.0', body: 'SM\r\n\r\n', length: null }),
  'an expectation': () => ({ lines: ['expect: 100-continue'] }),
  'an odd expectation': () => ({ lines: ['expect: 200-ok, x=y'] }),
  'a hop to be dropped': () => ({ lines: ['connection: authorization, close'] }),
}

/** How bodies are framed against the rules. */
const bodyFramings: Readonly<Record<string, (draft: Draft) => Parts>> = {
  'a length that is too short': (draft) => ({ length: String(Math.max(0, sizeOf(draft) - 3)) }),
  'a length that is too long, and no more': (draft) => ({ length: String(sizeOf(draft) + 10), hangsUp: true }),
  'a length below zero': () => ({ length: '-1' }),
  'a length in words': () => ({ length: 'ten' }),
  'a length in hexadecimal': () => ({ length: '0x10' }),
  'a length with a sign': (draft) => ({ length: `+${sizeOf(draft)}` }),
  'a length beyond all': () => ({ length: '9'.repeat(30) }),
  'two lengths': (draft) => ({ lines: [`content-length: ${sizeOf(draft) + 1}`] }),
  'two lengths in one': (draft) => ({ length: `${sizeOf(draft)}, ${sizeOf(draft)}` }),
  'no length': () => ({ length: null }),
  chunks: (draft) => ({ length: null, lines: ['transfer-encoding: chunked'], body: chunked(textOf(draft)) }),
  'chunks of one byte': (draft) => ({ length: null, lines: ['transfer-encoding: chunked'], body: chunked(textOf(draft), 1) }),
  'chunks with words': (draft) => ({
    length: null,
    lines: ['transfer-encoding: chunked'],
    body: chunked(textOf(draft), 40, ';name="value"'),
  }),
  'chunks with odd sizes': () => ({ length: null, lines: ['transfer-encoding: chunked'], body: 'zz\r\nabc\r\n0\r\n\r\n' }),
  'a chunk below zero': () => ({ length: null, lines: ['transfer-encoding: chunked'], body: '-1\r\nabc\r\n0\r\n\r\n' }),
  'a chunk beyond all': () => ({ length: null, lines: ['transfer-encoding: chunked'], body: `${'f'.repeat(20)}\r\nabc`, hangsUp: true }),
  'chunks that break off': (draft) => ({
    length: null,
    lines: ['transfer-encoding: chunked'],
    body: chunked(textOf(draft)).slice(0, -7),
    hangsUp: true,
  }),
  'chunks and a length': (draft) => ({ lines: ['transfer-encoding: chunked'], body: chunked(textOf(draft)) }),
  'a request within': () => ({
    lines: ['transfer-encoding: chunked'],
    length: '4',
    body: '0\r\n\r\nGET /audit HTTP/1.1\r\nhost: x\r\n\r\n',
  }),
  'an odd coding': () => ({ lines: ['transfer-encoding: xchunked'] }),
  'two codings': (draft) => ({ length: null, lines: ['transfer-encoding: chunked, identity'], body: chunked(textOf(draft)) }),
  'a coding in disguise': (draft) => ({ length: null, lines: ['transfer-encoding:\x0bchunked'], body: chunked(textOf(draft)) }),
  'fields behind the chunks': (draft) => ({
    length: null,
    lines: ['transfer-encoding: chunked', 'trailer: authorization'],
    body: chunked(textOf(draft)).replace(/\r\n$/, 'authorization: Bearer x\r\n\r\n'),
  }),
  'half a body, and gone': (draft) => ({ length: String(sizeOf(draft)), body: textOf(draft).slice(0, 5), hangsUp: true }),
}

function textOf({ body }: Draft): string {
  return JSON.stringify(body ?? {})
}

function sizeOf(draft: Draft): number {
  return Buffer.byteLength(textOf(draft))
}

function chunked(text: string, size = 16, words = ''): string {
  const bytes = Buffer.from(text)
  let out = ''
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size)
    out += `${piece.length.toString(16)}${words}\r\n${piece.toString('latin1')}\r\n`
  }
  return `${out}0\r\n\r\n`
}

function framingKind(name: string, parts: (draft: Draft) => Parts, fits: Kind['fits']): Kind {
  return {
    name: `framing: ${name}`,
    fits,
    make: (draft) => {
      const given = parts(draft)
      return wire(draft, { ...given, isLast: true, ...(typeof given.body === 'string' ? { body: Buffer.from(given.body, 'latin1') } : {}) })
    },
  }
}

const others: readonly Kind[] = [
  { name: 'nothing at all', fits: any, make: (draft) => wire(draft) },
  {
    name: 'body: where none belongs',
    fits: (operation) => operation.body === null,
    make: (draft, { of }) =>
      wire(draft, { body: of(['{}', '{"a":1}', 'x', '\0'.repeat(100)]), headers: withHeader(draft, 'content-type', 'application/json') }),
  },
  {
    name: 'header: none of its own',
    fits: any,
    make: (draft) => wire(draft, { headers: draft.headers.filter(([name]) => name === 'authorization') }),
  },
  {
    name: 'two requests at once',
    fits: any,
    make: (draft) => {
      const one = wire(draft, { isLast: true })
      return { ...one, bytes: Buffer.concat([one.bytes, one.bytes]) }
    },
  },
  {
    name: 'noise',
    fits: any,
    make: (draft, { below }) => ({
      ...wire(draft, { isLast: true }),
      bytes: Buffer.from(Array.from({ length: 300 }, () => below(256))),
      hangsUp: true,
    }),
  },
  {
    name: 'a greeting of TLS',
    fits: any,
    make: (draft) => ({ ...wire(draft, { isLast: true }), bytes: Buffer.from('16030100c8010000c40303', 'hex'), hangsUp: true }),
  },
  {
    name: 'half a head, and gone',
    fits: any,
    make: (draft, { below }) => {
      const { bytes, ...rest } = wire(draft, { isLast: true, hangsUp: true })
      return { ...rest, bytes: bytes.subarray(0, 1 + below(bytes.length - 1)) }
    },
  },
]

export const headerKinds: readonly Kind[] = [
  ...others,
  ...fieldKinds,
  ...Object.entries(framings).map(([name, parts]) => framingKind(name, parts, any)),
  ...Object.entries(bodyFramings).map(([name, parts]) => framingKind(name, parts, hasBody)),
]
