import fc from 'fast-check'
import { anyInstant } from '../../kernel/testing/arbitraries.ts'
import type { DataKey } from '../data-key.ts'

export const anyDataKey: fc.Arbitrary<DataKey> = fc.record({
  purpose: fc.constantFrom('api-key-pepper', 'audit-chain'),
  version: fc.integer({ min: 1, max: 1000 }),
  sealed: fc.base64String({ minLength: 40, maxLength: 120 }),
  createdAt: anyInstant,
})
