import { describe, expect, it } from 'vitest'
import type { IdSource } from '../ids.ts'
import { type Harness, over } from './harness.ts'

export type IdSourceHarness = Harness<Readonly<{ ids: IdSource }>>

/** The laws of `IdSource`. */
export function idSourceContract(open: () => Promise<IdSourceHarness>): void {
  const many = 10_000
  describe('IdSource', () => {
    it(
      'makes UUIDv7s in lower case (RFC 9562)',
      over(open, async ({ ids }) => {
        for (let count = 0; count < 100; count += 1) {
          expect(ids.next()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        }
      }),
    )

    it(
      'never makes one twice',
      over(open, async ({ ids }) => {
        expect(new Set(Array.from({ length: many }, () => ids.next())).size).toBe(many)
      }),
    )

    it(
      'makes ids that rise, also within one millisecond',
      over(open, async ({ ids }) => {
        const made = Array.from({ length: many }, () => ids.next())
        expect(made.every((id, index) => index === 0 || (made[index - 1] ?? '') < id)).toBe(true)
      }),
    )
  })
}
