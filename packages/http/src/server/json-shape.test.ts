import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from './json.ts'
import { shapeFault } from './json-shape.ts'

const limits = { depth: 5, members: 20 }

describe('the shape of JSON', () => {
  it.each([
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"a" \n:1,"a"\t:2}',
    '[{"x":{"a":[],"b":0,"a":null}}]',
    '{"a\\\\":1,"a\\\\":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
    '{"a":{"a":1},"a":2}',
  ])('refuses a member that is named twice: %s', (text) => expect(shapeFault(text, limits)).toBe('repeated-member'))

  it.each([
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    '{"a":"a","b":"a\\":","c":"{\\"a\\":1,\\"a\\":2}"}',
    '["a","a"]',
    '{"a\\\\":1,"a\\"":2,"a":3}',
  ])('takes equal names of different objects, and what stands in texts: %s', (text) => {
    expect(shapeFault(text, limits)).toBeNull()
    expect(JSON.parse(text)).toBeDefined()
  })

  it('refuses what is nested too deeply or has too much in it, before it is parsed', () => {
    expect(shapeFault('[[[[[]]]]]', limits)).toBeNull()
    expect(shapeFault('[[[[[{}]]]]]', limits)).toBe('too-deep')
    expect(shapeFault(`[${'1,'.repeat(19)}1]`, limits)).toBeNull()
    expect(shapeFault(`[${'1,'.repeat(20)}1]`, limits)).toBe('too-many-members')
    expect(shapeFault('['.repeat(1_000_000), limits)).toBe('too-deep')
  })

  it('leaves every value that JSON.stringify writes', () =>
    fc.assert(
      fc.property(fc.json(), fc.nat(3), (text, indent) => {
        const written = JSON.stringify(JSON.parse(text), null, indent)
        expect(shapeFault(written, { depth: 1000, members: 1_000_000 })).toBeNull()
      }),
    ))

  it('finds a repeated member wherever it stands', () =>
    fc.assert(
      fc.property(fc.json(), fc.string(), fc.json(), (before, name, after) => {
        const text = `{"x":${before},"y":[{${JSON.stringify(name)}:${after},${JSON.stringify(name)}:1}]}`
        expect(shapeFault(text, { depth: 1000, members: 1_000_000 })).toBe('repeated-member')
      }),
    ))

  it('never hangs or throws, whatever it is given', () =>
    fc.assert(
      fc.property(fc.stringMatching(/^[{}[\]",:\\ua0 ]*$/), (text) => {
        shapeFault(text, limits)
      }),
    ))

  it.each([
    ['{"a":1,"a":2}', 'twice'],
    ['['.repeat(101), 'nested deeper'],
    [`[${'0,'.repeat(60_000)}0]`, 'more than 50000 members'],
  ])('tells what is wrong with a body: %.20s', (text, words) => {
    expect(parseJson(Buffer.from(text))).toEqual({ fault: expect.stringContaining(words) as string })
  })

  it('keeps members of the name of the prototype as members', () => {
    const parsed = parseJson(Buffer.from('{"__proto__":{"admin":true},"constructor":{"prototype":1}}'))
    expect(parsed).toHaveProperty('value')
    expect(Object.keys((parsed as { value: object }).value)).toEqual(['__proto__', 'constructor'])
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })
})
