import { isNumberKept } from '@cbp/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from './json.ts'

const parse = (text: string): ReturnType<typeof parseJson> => parseJson(Buffer.from(text))

describe('numbers', () => {
  it.each([
    '9007199254740993',
    '-9007199254740993',
    '9007199254740993.0',
    '9007199254740993e0',
    '900719925474099300e-2',
    '9007199254740993.5',
    '1e-400',
    '-1E-400',
    `0.${'0'.repeat(400)}1`,
    '1e400',
    '123456789012345678901234567890',
  ])('refuses %s, which would be kept as another number', (source) => {
    expect(parse(`{"value":{"a":[0,{"b/c":${source}}]}}`)).toMatchObject({
      lossy: [{ pointer: '#/value/a/1/b~1c', code: 'number-not-representable' }],
    })
  })

  it.each(['0.1', '1e2', '0e999', '-0.0e-999', '9007199254740992.0', '1e23', '1180591620717411303424', '3.14159265358979323846', '5e-324'])(
    'takes %s',
    (source) => expect(parse(`[${source}]`)).toEqual({ value: [Number(source)], lossy: [] }),
  )

  it('points at the whole when it is a number', () => {
    expect(parse('1e999')).toMatchObject({ lossy: [{ pointer: '#' }] })
  })

  it('takes every number as it is written', () =>
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(isNumberKept(value, JSON.stringify(value))).toBe(true)
      }),
    ))

  it('takes a whole number just when it equals its double', () =>
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), fc.nat(3), (value, zeros) => {
        const source = `${value}${'0'.repeat(zeros)}e-${zeros}`
        const roundTrips = BigInt(String(Number(value)).includes('e') ? Number(value) : String(Number(value))) === value
        expect(isNumberKept(Number(source), source)).toBe(BigInt(Number(value)) === value || roundTrips)
      }),
    ))
})
