import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  canonicalJson,
  diffJson,
  isJsonObject,
  type JsonDifference,
  type JsonObject,
  type JsonValue,
  jsonEquals,
  jsonObject,
  member,
  pointerTo,
  utf8Length,
} from './json.ts'
import { anyJsonObject, anyJsonValue, anyMemberName, anyText } from './testing/arbitraries.ts'
import { itHolds } from './testing/property.ts'

const runs = 300

/** The same value with the members of every object in reverse. */
function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reversed)
  if (!isJsonObject(value)) return value
  return jsonObject(
    Object.keys(value)
      .reverse()
      .map((name) => [name, reversed(member(value, name) ?? null)]),
  )
}

describe('canonicalJson', () => {
  itHolds(
    'is JSON that says the same',
    runs,
    fc.asyncProperty(anyJsonValue, async (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(value)
    }),
  )

  itHolds(
    'does not depend on the order of members',
    runs,
    fc.asyncProperty(anyJsonValue, async (value) => {
      expect(canonicalJson(reversed(value))).toBe(canonicalJson(value))
    }),
  )

  itHolds(
    'is the same for equal values only',
    runs,
    fc.asyncProperty(anyJsonValue, anyJsonValue, async (left, right) => {
      expect(jsonEquals(left, right)).toBe(JSON.stringify(sortedDeep(left)) === JSON.stringify(sortedDeep(right)))
    }),
  )

  it('sorts members by code units, as RFC 8785 has it', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '😀': 5, '\u0080': 6, ö: 7 }
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}')
  })

  it('writes numbers as RFC 8785 has them', () => {
    expect(canonicalJson([333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0])).toBe(
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
    )
  })

  it('keeps a member called __proto__', () => {
    expect(canonicalJson(JSON.parse('{"__proto__":{"a":1}}') as JsonValue)).toBe('{"__proto__":{"a":1}}')
  })
})

/** Sorted pairs in place of objects: another way to be independent of the order of members. */
function sortedDeep(value: JsonValue): unknown {
  if (Array.isArray(value)) return ['list', ...value.map(sortedDeep)]
  if (!isJsonObject(value)) return value
  const pairs = Object.entries(value).map(([name, each]) => [name, sortedDeep(each)] as const)
  return ['object', ...pairs.sort(([left], [right]) => (left < right ? -1 : 1))]
}

/** Carries out a diff, difference by difference. */
function applied(value: JsonValue | undefined, differences: readonly JsonDifference[]): JsonValue | undefined {
  return differences.reduce<JsonValue | undefined>((current, difference) => {
    const tokens = difference.pointer
      .split('/')
      .slice(1)
      .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    return put(current, tokens, difference.op === 'remove' ? undefined : difference.after)
  }, value)
}

function put(value: JsonValue | undefined, [token, ...rest]: readonly string[], replacement: JsonValue | undefined): JsonValue | undefined {
  if (token === undefined) return replacement
  if (Array.isArray(value)) {
    return value.map((item: JsonValue, index) => (String(index) === token ? (put(item, rest, replacement) ?? null) : item))
  }
  const object = value as JsonObject
  const changed = put(member(object, token), rest, replacement)
  const others = Object.entries(object).filter(([name]) => name !== token)
  return jsonObject(changed === undefined ? others : [...others, [token, changed]])
}

describe('diffJson', () => {
  itHolds(
    'applied to the one value, gives the other',
    runs,
    fc.asyncProperty(
      fc.option(anyJsonValue, { nil: undefined, freq: 10 }),
      fc.option(anyJsonValue, { nil: undefined, freq: 10 }),
      async (before, after) => {
        const result = applied(before, diffJson(before, after))
        expect(result === undefined ? undefined : canonicalJson(result)).toBe(after === undefined ? undefined : canonicalJson(after))
      },
    ),
  )

  itHolds(
    'between similar objects, gives the other',
    runs,
    fc.asyncProperty(
      anyJsonObject,
      fc.array(fc.tuple(anyMemberName, fc.option(anyJsonValue, { nil: undefined })), { maxLength: 3 }),
      async (before, changes) => {
        const after = changes.reduce<JsonValue>((value, [name, replacement]) => put(value, [name], replacement) as JsonValue, before)
        const differences = diffJson(before, after)
        expect(canonicalJson(applied(before, differences) ?? null)).toBe(canonicalJson(after))
        expect(differences.length).toBeLessThanOrEqual(Object.keys(before).length * 50 + changes.length * 50)
      },
    ),
  )

  itHolds(
    'is empty exactly for equal values',
    runs,
    fc.asyncProperty(anyJsonValue, anyJsonValue, async (left, right) => {
      expect(diffJson(left, reversed(left))).toEqual([])
      expect(diffJson(left, right).length === 0).toBe(jsonEquals(left, right))
    }),
  )

  itHolds(
    'tells the value before each change',
    runs,
    fc.asyncProperty(anyJsonValue, anyJsonValue, async (left, right) => {
      const undone = diffJson(left, right)
        .toReversed()
        .map((difference): JsonDifference => {
          const { pointer } = difference
          if (difference.op === 'add') return { op: 'remove', pointer, before: difference.after }
          if (difference.op === 'remove') return { op: 'add', pointer, after: difference.before }
          return { op: 'replace', pointer, before: difference.after, after: difference.before }
        })
      expect(canonicalJson(applied(right, undone) ?? null)).toBe(canonicalJson(left))
    }),
  )

  it.each<readonly [string, JsonValue | undefined, JsonValue | undefined, readonly JsonDifference[]]>([
    ['absence and absence', undefined, undefined, []],
    ['absence and null', undefined, null, [{ op: 'add', pointer: '', after: null }]],
    ['null and absence', null, undefined, [{ op: 'remove', pointer: '', before: null }]],
    ['a changed member', { a: 1, b: 2 }, { a: 1, b: 3 }, [{ op: 'replace', pointer: '/b', before: 2, after: 3 }]],
    [
      'escaped names',
      { 'a/b': 1 },
      { 'm~n': 1 },
      [
        { op: 'remove', pointer: '/a~1b', before: 1 },
        { op: 'add', pointer: '/m~0n', after: 1 },
      ],
    ],
    ['items of lists of one length', [1, 2], [1, 3], [{ op: 'replace', pointer: '/1', before: 2, after: 3 }]],
    ['lists of different lengths', [1], [1, 2], [{ op: 'replace', pointer: '', before: [1], after: [1, 2] }]],
    ['a list and an object', [], {}, [{ op: 'replace', pointer: '', before: [], after: {} }]],
    ['a name that every object inherits', {}, { constructor: 1 }, [{ op: 'add', pointer: '/constructor', after: 1 }]],
  ])('tells apart %s', (_case, before, after, expected) => {
    expect(diffJson(before, after)).toEqual(expected)
  })
})

describe('utf8Length', () => {
  itHolds(
    'counts the bytes of well-formed text',
    runs,
    fc.asyncProperty(anyText, async (text) => {
      expect(utf8Length(text)).toBe(encodeURIComponent(text).replaceAll(/%../g, 'x').length)
    }),
  )

  it.each([
    ['', 0],
    ['a', 1],
    ['é', 2],
    ['漢', 3],
    ['😀', 4],
    ['\ud83d', 3],
    ['\ude00', 3],
    ['\ude00\ud83d', 6],
    ['\ud83d\ud83d\ude00', 7],
  ])('counts %j as %i', (text, bytes) => {
    expect(utf8Length(text)).toBe(bytes)
  })
})

describe('pointerTo', () => {
  it('escapes as RFC 6901 has it, in the order that can be undone', () => {
    expect(pointerTo('/a', '~1/')).toBe('/a/~01~1')
    expect(pointerTo('', '')).toBe('/')
    expect(pointerTo('', 0)).toBe('/0')
  })
})

describe('jsonObject', () => {
  it('makes own members of every name', () => {
    const made = jsonObject([
      ['__proto__', 1],
      ['constructor', 2],
    ])
    expect(Object.entries(made)).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ])
  })
})

describe('member', () => {
  it('finds own members only', () => {
    expect([member({}, 'constructor'), member({}, '__proto__'), member({ a: null }, 'a')]).toEqual([undefined, undefined, null])
  })
})
