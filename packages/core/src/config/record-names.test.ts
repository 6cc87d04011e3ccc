import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { itHolds } from '../kernel/testing/property.ts'
import { recordNames } from './record-names.ts'
import { anyAddress } from './testing/arbitraries.ts'

describe('recordNames', () => {
  itHolds(
    'names the same records whatever it remembers',
    100,
    fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('e1', 'e2'), anyAddress), { maxLength: 50 }), async (asked) => {
      const name = recordNames(3)
      for (const [epoch, at] of [...asked, ...asked]) expect(name(epoch, at)).toBe(`${epoch}:${at.component}/${at.key}${at.scope}`)
    }),
  )
})
