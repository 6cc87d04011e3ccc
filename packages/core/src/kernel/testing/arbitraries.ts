import fc from 'fast-check'
import type { Caller } from '../caller.ts'
import type { Instant } from '../clock.ts'
import type { Uuid } from '../ids.ts'
import { type JsonObject, type JsonValue, jsonObject } from '../json.ts'
import { fakeEpochStart } from './fake-clock.ts'

/** Any well-formed text, with what trips encoders, escapes and collations. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.toWellFormed().replaceAll('\0', '')) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      ' ',
      'a ',
      'é',
      'e\u0301',
      'ß',
      'İ',
      '😀',
      '\u2028',
      '\uFEFF',
      '"\\/',
      "'; --",
      '@name',
      '\u001f',
      '\uffff',
    ),
  },
)

/** Member names, those of `Object.prototype` included. */
export const anyMemberName: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c', 'limit') },
  { weight: 1, arbitrary: fc.constantFrom('', '__proto__', 'constructor', 'toString', 'a/b', 'm~n', '0', '01', ' ', 'é', '😀') },
  { weight: 1, arbitrary: anyText },
)

const anyNumber = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, 1, -1, 0.1, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
)

const jsonTie = fc.letrec<{ value: JsonValue; list: readonly JsonValue[]; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, false),
    anyNumber,
    anyText,
    // JSON escapes these, so that they are values, though no plain text column takes them.
    fc.constantFrom('\0', '\ud800', 'x\udc00'),
    tie('object'),
    tie('list'),
  ),
  list: fc.array(tie('value'), { maxLength: 4, depthIdentifier: 'json' }),
  object: fc
    .uniqueArray(fc.tuple(anyMemberName, tie('value')), { maxLength: 4, selector: ([name]) => name })
    .map((members) => jsonObject(members)),
}))

/** Any JSON value, `__proto__` members, extreme numbers and every plane of Unicode included. */
export const anyJsonValue: fc.Arbitrary<JsonValue> = jsonTie.value
export const anyJsonObject: fc.Arbitrary<JsonObject> = jsonTie.object

/** 64 KiB in canonical form, to the byte. */
export const largestValue: string = 'x'.repeat(64 * 1024 - 2)

export const anyInstant: fc.Arbitrary<Instant> = fc.integer({ min: 0, max: 10 ** 10 }).map((ms) => fakeEpochStart + ms)

export const anyUuid: fc.Arbitrary<Uuid> = fc.uuid({ version: 7 }).map((id) => id as Uuid)

const anyLowerHex = (digits: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits })

export const anyTraceparent: fc.Arbitrary<string> = fc
  .tuple(anyLowerHex(31), anyLowerHex(15), fc.constantFrom('00', '01'))
  .map(([trace, span, flags]) => `00-1${trace}-1${span}-${flags}`)

export const anyCaller: fc.Arbitrary<Caller> = fc.record({
  client: fc.constantFrom('https://issuer.example|billing', 'cli:operator', 'key:01890000-0000-7000-8000-000000000000'),
  requestId: anyUuid,
  traceparent: fc.option(anyTraceparent),
})

/** Why a change was made: any text that is not blank. */
export const anyReason: fc.Arbitrary<string> = anyText.map((text) => `because ${text}`.trim())
