import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromStored, toStored } from './stored-text.ts'

const anyTail = fc.string({ unit: fc.constantFrom('a', ' ', '\u0001', 'é'), maxLength: 6 })

describe('stored text', () => {
  it('is read back as it was', () => {
    fc.assert(fc.property(anyTail, (text) => fromStored(toStored(text)) === text))
  })

  it('never ends in a space, so that no two texts are taken for one', () => {
    fc.assert(
      fc.property(anyTail, anyTail, (left, right) => {
        const [first, second] = [toStored(left), toStored(right)]
        expect(first.endsWith(' ')).toBe(false)
        expect(first === second).toBe(left === right)
      }),
    )
  })
})
