import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aesKeyRing } from './aes-key-ring.ts'

const key = createSecretKey(randomBytes(32))
const ring = aesKeyRing([{ id: 'k1', key }])
const anyText = fc.string({ unit: 'binary', maxLength: 200 }).map((text) => text.toWellFormed())
const characters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ k\u0000é']

function opens(sealed: string, context: string, keys = ring): boolean {
  const opened = keys.unseal(sealed, context)
  if (opened.isErr()) expect(opened.error.kind).toBe('cannot-unseal')
  return opened.isOk()
}

describe('a sealed secret', () => {
  it('opens to the same text under the same context', () => {
    fc.assert(
      fc.property(anyText, anyText, (secret, context) => {
        expect(ring.unseal(ring.seal(secret, context), context)._unsafeUnwrap()).toBe(secret)
      }),
    )
    expect(ring.unseal(ring.seal('\uFEFFx\0', 'a'), 'a')._unsafeUnwrap()).toBe('\uFEFFx\0')
  })

  it('does not open once any character was changed, removed or added', () => {
    const sealed = ring.seal('whsec_c2VjcmV0', 'webhook-secret:1')
    for (let at = 0; at <= sealed.length; at += 1) {
      for (const character of characters) {
        const changed = `${sealed.slice(0, at)}${character}${sealed.slice(at + 1)}`
        if (changed !== sealed) expect(opens(changed, 'webhook-secret:1'), changed).toBe(false)
        expect(opens(`${sealed.slice(0, at)}${character}${sealed.slice(at)}`, 'webhook-secret:1')).toBe(false)
      }
      if (at < sealed.length) expect(opens(`${sealed.slice(0, at)}${sealed.slice(at + 1)}`, 'webhook-secret:1')).toBe(false)
    }
  })

  it('does not open under another context', () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (secret, context, other) => {
        fc.pre(context !== other)
        expect(opens(ring.seal(secret, context), other)).toBe(false)
      }),
    )
  })

  it('does not open with another key of the same id, nor without its key', () => {
    fc.assert(
      fc.property(anyText, fc.uint8Array({ minLength: 32, maxLength: 32 }), (secret, other) => {
        const sealed = ring.seal(secret, 'a')
        expect(opens(sealed, 'a', aesKeyRing([{ id: 'k1', key: createSecretKey(other) }]))).toBe(false)
        expect(opens(sealed, 'a', aesKeyRing([{ id: 'k2', key }]))).toBe(false)
      }),
    )
  })

  it('that never was one does not open', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.base64String(), { maxLength: 4 }).map((parts) => ['v1', 'k1', ...parts].join('.')),
        ),
        (text) => {
          expect(opens(text, 'a')).toBe(false)
        },
      ),
    )
  })

  it('looks different every time', () => {
    expect(new Set(Array.from({ length: 1000 }, () => ring.seal('secret', 'a'))).size).toBe(1000)
  })

  it('is not made of text that UTF-8 cannot carry', () => {
    expect(() => ring.seal('\uD800', 'a')).toThrow('well-formed')
    expect(() => ring.seal('a', '\uD800')).toThrow('well-formed')
    expect(opens(ring.seal('a', '\uFFFD'), '\uD800')).toBe(false)
  })

  it('is told about in errors without secret or ciphertext', () => {
    const sealed = ring.seal('whsec_c2VjcmV0', 'a')
    const reasons = [ring.unseal(sealed, 'b'), ring.unseal(`${sealed}A`, 'a'), aesKeyRing([{ id: 'k2', key }]).unseal(sealed, 'a')]
    for (const reason of reasons.map((opened) => opened._unsafeUnwrapErr().reason)) {
      for (const part of [...sealed.split('.').slice(2), 'whsec_']) expect(reason).not.toContain(part)
    }
  })
})
