import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KeyRing } from '../key-ring.ts'
import { anyText } from './arbitraries.ts'
import { type Harness, over } from './harness.ts'
import { itHolds } from './property.ts'

/** `successor` is the ring after a new key has become the current one; `stranger` shares no key with either. */
export type KeyRingHarness = Harness<Readonly<{ keyRing: KeyRing; successor: KeyRing; stranger: KeyRing }>>

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** The laws of `KeyRing`. */
export function keyRingContract(open: () => Promise<KeyRingHarness>): void {
  describe('KeyRing', () => {
    itHolds(
      'opens what it sealed, under the same context',
      100,
      fc.asyncProperty(anyText, anyText, (text, context) =>
        over(open, async ({ keyRing }) => {
          expect(keyRing.unseal(keyRing.seal(text, context), context)._unsafeUnwrap()).toBe(text)
        })(),
      ),
    )

    itHolds(
      'opens nothing under another context',
      100,
      fc.asyncProperty(anyText, anyText, (context, other) =>
        over(open, async ({ keyRing }) => {
          fc.pre(context !== other)
          expect(keyRing.unseal(keyRing.seal(secret, context), other).isErr()).toBe(true)
        })(),
      ),
    )

    itHolds(
      'opens nothing that was changed, cut off or added to',
      200,
      fc.asyncProperty(fc.nat(), fc.constantFrom('A', 'B', 'x', '0', '9', ''), (place, letter) =>
        over(open, async ({ keyRing }) => {
          const sealed = keyRing.seal(secret, 'here')
          const at = place % sealed.length
          const changed = `${sealed.slice(0, at)}${letter}${sealed.slice(at + 1)}`
          fc.pre(changed !== sealed)
          const opened = keyRing.unseal(changed, 'here')
          expect(opened.isOk() && opened.value !== secret).toBe(false)
          // Base64 may have spare bits at its end; what opens all the same must then say the same.
          if (letter === '') expect(opened.isErr()).toBe(true)
          expect(keyRing.unseal(`${sealed}${letter}A`, 'here').isErr()).toBe(true)
        })(),
      ),
    )

    it.each(['', '.', 'nothing of ours', '...'])('opens nothing of text that it never sealed: "%s"', async (text) => {
      await over(open, async ({ keyRing }) => {
        expect(keyRing.unseal(text, 'here').isErr()).toBe(true)
      })()
    })

    it(
      'shows nothing of the secret, and seals it differently each time',
      over(open, async ({ keyRing }) => {
        const [first, again] = [keyRing.seal(secret, 'here'), keyRing.seal(secret, 'here')]
        expect(first).not.toBe(again)
        expect(`${first}${again}`).not.toContain(secret.slice(6, 20))
      }),
    )

    it(
      'names neither secret nor ciphertext in its errors',
      over(open, async ({ keyRing }) => {
        const sealed = keyRing.seal(secret, 'here')
        const told = JSON.stringify(keyRing.unseal(sealed, 'there'))
        expect(told).toContain('cannot-unseal')
        expect([told.includes(secret), told.includes(sealed)]).toEqual([false, false])
      }),
    )

    it(
      'opens what an older key of the ring has sealed, and nothing of a ring it shares no key with',
      over(open, async ({ keyRing, successor, stranger }) => {
        const sealed = keyRing.seal(secret, 'here')
        expect(successor.unseal(sealed, 'here')._unsafeUnwrap()).toBe(secret)
        expect(keyRing.unseal(successor.seal(secret, 'here'), 'here').isErr()).toBe(true)
        expect(stranger.unseal(sealed, 'here').isErr()).toBe(true)
      }),
    )

    it(
      'tells what was sealed with its current key from what an older one has sealed',
      over(open, async ({ keyRing, successor }) => {
        const [old, current] = [keyRing.seal(secret, 'here'), successor.seal(secret, 'here')]
        expect([keyRing.isCurrent(old), successor.isCurrent(old), successor.isCurrent(current)]).toEqual([true, false, true])
      }),
    )
  })
}
