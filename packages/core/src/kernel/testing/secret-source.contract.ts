import { describe, expect, it } from 'vitest'
import type { SecretSource } from '../secret-source.ts'
import { fromBase64 } from './base-64.ts'
import { type Harness, over } from './harness.ts'

export type SecretSourceHarness = Harness<Readonly<{ secretSource: SecretSource }>>

/** The laws of `SecretSource`. */
export function secretSourceContract(open: () => Promise<SecretSourceHarness>): void {
  describe('SecretSource', () => {
    it(
      'answers as many bytes as it is asked for, in base64 with padding',
      over(open, async ({ secretSource }) => {
        for (let bytes = 1; bytes <= 64; bytes += 1) {
          const text = secretSource.base64(bytes)
          expect(text).toMatch(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)
          expect(fromBase64(text)).toHaveLength(bytes)
        }
      }),
    )

    it(
      'never answers the same twice',
      over(open, async ({ secretSource }) => {
        const made = Array.from({ length: 5000 }, () => secretSource.base64(32))
        expect(new Set(made).size).toBe(made.length)
      }),
    )

    it(
      'uses every value of a byte about as often as any other',
      over(open, async ({ secretSource }) => {
        const counts = Array.from({ length: 256 }, () => 0)
        for (let round = 0; round < 400; round += 1) {
          for (const byte of fromBase64(secretSource.base64(64))) counts[byte] = (counts[byte] ?? 0) + 1
        }
        expect(counts.every((count) => count > 40 && count < 170)).toBe(true)
      }),
    )
  })
}
