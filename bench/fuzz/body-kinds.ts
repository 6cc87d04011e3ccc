import { deflateSync, gzipSync } from 'node:zlib'
import type { Draft } from './draft.ts'
import { type Dice, hasBody, type Kind, type Parts, places, textWith, wire, withHeader } from './kind.ts'

/** JSON texts that take the place of one member, by what is wrong with them. */
const values: Readonly<Record<string, () => string>> = {
  null: () => 'null',
  true: () => 'true',
  false: () => 'false',
  'empty list': () => '[]',
  'empty object': () => '{}',
  'list of lists': () => '[[[[]]]]',
  'long list': () => `[${'1,'.repeat(2_000)}1]`,
  'many members': () => `{${Array.from({ length: 1_000 }, (_, index) => `"m${index}":${index}`).join(',')}}`,
  zero: () => '0',
  'minus one': () => '-1',
  'minus zero': () => '-0',
  fraction: () => '1.5',
  'tiny fraction': () => '1e-400',
  'huge number': () => '1e308',
  'number beyond all': () => '1e999',
  'number beyond 2^53': () => '9007199254740993',
  'number of a thousand digits': () => '9'.repeat(1_000),
  'number as text': () => '"1250"',
  'leading zero': () => '0123',
  'plus sign': () => '+1',
  hexadecimal: () => '0x10',
  NaN: () => 'NaN',
  Infinity: () => '-Infinity',
  undefined: () => 'undefined',
  'empty text': () => '""',
  blanks: () => '"   "',
  'long text': () => JSON.stringify('x'.repeat(5_000)),
  'very long text': () => JSON.stringify('é'.repeat(40_000)),
  'null character': () => '"a\\u0000b"',
  'raw control character': () => '"a\u0001b"',
  'half of a pair': () => '"\\ud800"',
  'wrong half of a pair': () => '"a\\udc00b"',
  'right-to-left override': () => '"\\u202egpj.exe"',
  'zero width': () => '"\\u200b\\u200d\\ufeff"',
  'combining flood': () => JSON.stringify(`a${'\u0301'.repeat(2_000)}`),
  'other normal form': () => '"e\\u0301 \\ufb01"',
  noncharacter: () => '"\\uffff\\ufffe"',
  'line separators': () => '"a\\u2028b\\u2029c\\u0085d"',
  'line breaks': () => '"a\\r\\n{\\"level\\":\\"error\\"}\\nb"',
  'terminal escapes': () => '"\\u001b[31mred\\u001b[0m\\u0007"',
  'SQL quote': () => `"x' or '1'='1'; --"`,
  'SQL wildcard': () => '"%_[a-z]"',
  'operator object': () => '{"$gt":""}',
  template: () => '"\\u0024{7*7}{{7*7}}#{7*7}<%= 7*7 %>"',
  'look-up': () => '"\\u0024{jndi:ldap://127.0.0.1/a}"',
  script: () => '"<script>alert(1)</script>"',
  'shell words': () => '"; cat /etc/passwd | `id` $(id)"',
  'format string': () => '"%s%s%n%x%p"',
  'path upwards': () => '"../../../../etc/passwd"',
  'metadata address': () => '"http://169.254.169.254/latest/meta-data/"',
  'mapped address': () => '"http://[::ffff:7f00:1]:22/"',
  'numeric address': () => '"http://2130706433/"',
  'file address': () => '"file:///etc/passwd"',
  'script address': () => '"javascript:alert(1)"',
  'address with a user': () => '"https://user:pass@hooks.invalid/"',
  'address with line breaks': () => '"http://127.0.0.1:9/\\r\\nx: y"',
  'impossible day': () => '"2026-02-30T00:00:00Z"',
  'far year': () => '"+275760-09-13T00:00:00.001Z"',
  'id in capitals': () => '"01890A5D-AC96-774B-BCCE-B302099A8057"',
  'id of zeros': () => '"00000000-0000-0000-0000-000000000000"',
  'prototype object': () => '{"__proto__":{"polluted":true}}',
  'constructor object': () => '{"constructor":{"prototype":{"polluted":true}}}',
  'name of every object': () => '"hasOwnProperty"',
  'object that converts': () => '{"toString":"x","valueOf":1,"toJSON":null,"then":{}}',
  'length object': () => '{"length":4294967295}',
  'card number': () => '"4111 1111 1111 1111"',
}

function memberKind(name: string, text: () => string): Kind {
  return {
    name: `body: member is ${name}`,
    fits: hasBody,
    make: (draft, { of }) => {
      const spots = places(draft.body)
      return wire(draft, { body: textWith(draft.body, spots.length === 0 ? [] : of(spots).path, text()) })
    },
  }
}

const json = ({ body }: Draft): string => JSON.stringify(body ?? null)

/** Adds a member in front of, or behind, those of the outermost object. */
const withMember = (draft: Draft, member: string, isFirst = false): string => {
  const text = json(draft)
  if (!text.startsWith('{') || text === '{}') return `{${member}}`
  return isFirst ? `{${member},${text.slice(1)}` : `${text.slice(0, -1)},${member}}`
}

function withoutOne(draft: Draft, { of }: Dice): string {
  const body = draft.body as Readonly<Record<string, unknown>> | null
  if (typeof body !== 'object' || body === null || Object.keys(body).length === 0) return '{}'
  const name = of(Object.keys(body))
  return JSON.stringify(Object.fromEntries(Object.entries(body).filter(([each]) => each !== name)))
}

function twice(draft: Draft, { of }: Dice, spell: (name: string) => string): string {
  const names = Object.keys((draft.body ?? {}) as object)
  return withMember(draft, `"${spell(names.length === 0 ? 'value' : of(names))}":1`)
}

/** Whole bodies, by what is wrong with them. */
const wholes: Readonly<Record<string, (draft: Draft, dice: Dice) => Parts['body']>> = {
  'without one member': withoutOne,
  'with an unknown member': (draft) => withMember(draft, '"unknown":1'),
  'with a status': (draft) => withMember(draft, '"status":"COMPLETED"'),
  'with another client': (draft) => withMember(draft, '"client":"admin"'),
  'with an id': (draft) => withMember(draft, '"id":"01890a5d-ac96-774b-bcce-b302099a8057"'),
  'with a version': (draft) => withMember(draft, '"version":99'),
  'with a member twice': (draft, dice) => twice(draft, dice, (name) => name),
  'with a member twice, spelt otherwise': (draft, dice) =>
    twice(draft, dice, (name) => `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`),
  'with __proto__': (draft) => withMember(draft, '"__proto__":{"polluted":true}', true),
  'with constructor': (draft) => withMember(draft, '"constructor":{"prototype":{"polluted":true}}'),
  'with an empty name': (draft) => withMember(draft, '"":1'),
  'with a long name': (draft) => withMember(draft, `"${'n'.repeat(10_000)}":1`),
  'with names of another case': (draft) =>
    json(draft).replaceAll(/"([a-z])(\w*)":/g, (_all, first: string, rest: string) => `"${first.toUpperCase()}${rest}":`),
  'in a list': (draft) => `[${json(draft)}]`,
  'in an object': (draft) => `{"body":${json(draft)}}`,
  'as a text': (draft) => JSON.stringify(json(draft)),
  'a number': () => '1',
  null: () => 'null',
  empty: () => '',
  blank: () => ' \r\n\t ',
  cut: (draft, { below }) => json(draft).slice(0, Math.max(1, below(json(draft).length))),
  'with a comma too many': (draft) => json(draft).replace(/\}$/, ',}'),
  'with more behind it': (draft) => `${json(draft)} trailing`,
  doubled: (draft) => json(draft) + json(draft),
  'in single quotes': (draft) => json(draft).replaceAll('"', "'"),
  'with comments': (draft) => `/* hello */ ${json(draft)} // bye`,
  'behind a byte order mark': (draft) => `\ufeff${json(draft)}`,
  'in UTF-16': (draft) => Buffer.from(json(draft), 'utf16le'),
  'in Latin-1': (draft) => Buffer.from(withMember(draft, '"é":"é"'), 'latin1'),
  'with overlong UTF-8': (draft) => Buffer.concat([Buffer.from(json(draft).slice(0, -1)), Buffer.from([0xc0, 0xaf, 0x7d])]),
  'with surrogates in UTF-8': (draft) => Buffer.concat([Buffer.from(json(draft).slice(0, -1)), Buffer.from([0xed, 0xa0, 0x80, 0x7d])]),
  'of zeros': () => Buffer.alloc(100),
  'of noise': (_draft, { below }) => Buffer.from(Array.from({ length: 200 }, () => below(256))),
  'nested to the limit': (draft) => withMember(draft, `"deep":${'['.repeat(99)}${']'.repeat(99)}`),
  'nested beyond it': (draft) => withMember(draft, `"deep":${'{"a":'.repeat(101)}1${'}'.repeat(101)}`),
  'nested ten thousand times': () => '['.repeat(10_000),
  'with more members than any': () => `{${'"a":1,'.repeat(9_000)}"b":[${'1,'.repeat(20_000)}1]}`,
  'just beyond 64 KiB': (draft) => withMember(draft, `"pad":"${'p'.repeat(64 * 1024)}"`),
  'of a form': () => 'value=1&reason=x',
  'of markup': () => '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
}

function wholeKind(name: string, body: (draft: Draft, dice: Dice) => Parts['body']): Kind {
  return {
    name: `body: ${name}`,
    fits: hasBody,
    make: (draft, dice) => {
      const given = body(draft, dice)
      return wire(draft, given === undefined ? {} : { body: given })
    },
  }
}

const types: readonly string[] = [
  'text/plain',
  'text/html',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/xml',
  'application/json; charset=utf-16',
  'application/json;charset=iso-8859-1',
  'application/jsonp',
  'application/json, text/plain',
  '*/*',
  'json',
  ';',
  'application/problem+json',
  `application/${'x'.repeat(4_000)}`,
  'application/json; charset="utf-8"; boundary="',
]

const shapes: readonly Kind[] = [
  {
    name: 'content-type: another',
    fits: hasBody,
    make: (draft, { of }) => wire(draft, { headers: withHeader(draft, 'content-type', of(types)) }),
  },
  { name: 'content-type: none', fits: hasBody, make: (draft) => wire(draft, { headers: withHeader(draft, 'content-type') }) },
  {
    name: 'content-type: twice',
    fits: hasBody,
    make: (draft) => wire(draft, { headers: withHeader(draft, 'content-type', 'application/json', 'text/html') }),
  },
  {
    name: 'content-encoding: gzip',
    fits: hasBody,
    make: (draft) => wire(draft, { body: gzipSync(json(draft)), headers: withHeader(draft, 'content-encoding', 'gzip') }),
  },
  {
    name: 'content-encoding: a bomb',
    fits: hasBody,
    make: (draft) => wire(draft, { body: deflateSync(Buffer.alloc(5_000_000)), headers: withHeader(draft, 'content-encoding', 'deflate') }),
  },
  {
    name: 'content-encoding: a lie',
    fits: hasBody,
    make: (draft, { of }) =>
      wire(draft, { headers: withHeader(draft, 'content-encoding', of(['gzip', 'br', 'zstd', 'identity, gzip', 'x'])) }),
  },
  {
    name: 'body: beyond 1 MiB',
    fits: hasBody,
    // It is answered before all of it has arrived; whoever still sends then may lose the answer with the connection.
    make: (draft) => wire(draft, { body: `{"value":"${'v'.repeat(1_100_000)}","reason":"x"}`, isLast: true, isOwed: false }),
  },
]

export const bodyKinds: readonly Kind[] = [
  ...Object.entries(values).map(([name, text]) => memberKind(name, text)),
  ...Object.entries(wholes).map(([name, body]) => wholeKind(name, body)),
  ...shapes,
]
