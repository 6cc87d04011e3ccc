import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Uuid } from '../kernel/ids.ts'
import { anyText, anyUuid } from '../kernel/testing/arbitraries.ts'
import { fakeDigest } from '../kernel/testing/fake-digest.ts'
import { fakeSecretSource } from '../kernel/testing/fake-secret-source.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { type DeploymentEnvironment, formatKeyText, newKeySecret, parseKeyText } from './key-text.ts'

const digest = fakeDigest()
const anyEnvironment = fc.constantFrom<DeploymentEnvironment>('development', 'staging', 'production')
const anyKey = fc.tuple(anyEnvironment, anyUuid, fc.integer({ min: 1 })).map(([environment, id, seed]) => ({
  environment,
  id,
  secret: newKeySecret(fakeSecretSource(seed)),
}))

const key = {
  environment: 'production' as const,
  id: '01890a5d-ac96-774b-bcce-b302099a8057' as Uuid,
  secret: newKeySecret(fakeSecretSource(7)),
}
const text = formatKeyText(digest, key)
const characters = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_- \n+/é\u0000']

describe('the text of an API key', () => {
  itHolds(
    'gives back what it was made of, and is selected by a double click',
    200,
    fc.asyncProperty(anyKey, async (any) => {
      const made = formatKeyText(digest, any)
      expect(parseKeyText(digest, made)._unsafeUnwrap()).toEqual(any)
      expect(made).toMatch(/^\w+$/)
      expect(made).toHaveLength(`cbp_${any.environment}`.length + 84)
    }),
  )

  it('refuses every change of a single character', () => {
    for (let place = 0; place < text.length; place += 1) {
      for (const other of characters.filter((each) => each !== text.charAt(place))) {
        const changed = `${text.slice(0, place)}${other}${text.slice(place + 1)}`
        expect(parseKeyText(digest, changed).isErr(), changed).toBe(true)
      }
    }
  })

  it('refuses every swap of two neighbours, every character left out and every one said twice', () => {
    for (let place = 0; place < text.length; place += 1) {
      const [before, first, second, after] = [text.slice(0, place), text.charAt(place), text.charAt(place + 1), text.slice(place + 2)]
      if (second !== '' && first !== second) expect(parseKeyText(digest, `${before}${second}${first}${after}`).isErr()).toBe(true)
      expect(parseKeyText(digest, `${before}${second}${after}`).isErr()).toBe(true)
      expect(parseKeyText(digest, `${before}${first}${first}${second}${after}`).isErr()).toBe(true)
    }
  })

  it('tells a typing error from what is no key at all', () => {
    const last = text.endsWith('a') ? 'b' : 'a'
    expect(parseKeyText(digest, `${text.slice(0, -1)}${last}`)._unsafeUnwrapErr()).toBe('checksum')
    expect(parseKeyText(digest, ` ${text}`)._unsafeUnwrapErr()).toBe('malformed')
    expect(parseKeyText(digest, '')._unsafeUnwrapErr()).toBe('malformed')
  })

  itHolds(
    'is total',
    300,
    fc.asyncProperty(
      fc.oneof(
        anyText,
        anyText.map((any) => `cbp_production_${any}`),
        fc.constant('_'.repeat(100_000)),
      ),
      async (any) => {
        expect(parseKeyText(digest, any).isErr()).toBe(true)
      },
    ),
  )

  it('carries 256 bits, whichever they are', () => {
    const least = newKeySecret({ base64: () => `${'A'.repeat(43)}=` })
    const most = newKeySecret({ base64: () => `${'/'.repeat(42)}8=` })
    expect([least, numberOf(most)]).toEqual(['0'.repeat(43), 2n ** 256n - 1n])
    const made = Array.from({ length: 200 }, (_, seed) => newKeySecret(fakeSecretSource(seed + 1)))
    expect(new Set(made).size).toBe(200)
  })
})

function numberOf(secret: string): bigint {
  return [...secret].reduce((value, letter) => value * 62n + BigInt(characters.indexOf(letter)), 0n)
}
