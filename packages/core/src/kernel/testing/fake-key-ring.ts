import { err, ok } from 'neverthrow'
import type { KeyRing } from '../key-ring.ts'
import { fromBase64, toBase64 } from './base-64.ts'
import { hmacSha256 } from './fake-mac.ts'
import { utf8 } from './sha-256.ts'

/**
 * Seals so that nothing opens what was changed, moved or sealed by another ring, and so that no plaintext shows; not so
 * that it would hold against anybody.
 *
 * @param keys names of keys, the current one first
 */
export function fakeKeyRing(keys: readonly string[] = ['key-1']): KeyRing {
  let seals = 0
  return {
    seal(secret, context) {
      seals += 1
      const key = keys[0] ?? ''
      const nonce = String(seals)
      const hidden = toBase64(mixed(key, nonce, utf8(secret)))
      return `${key}.${nonce}.${hidden}.${tagOf(key, nonce, hidden, context)}`
    },
    unseal(sealed, context) {
      const [key = '', nonce = '', hidden = '', tag, ...rest] = sealed.split('.')
      if (!keys.includes(key)) return err({ kind: 'cannot-unseal', reason: 'its key is not on the ring' })
      if (rest.length > 0 || tag !== tagOf(key, nonce, hidden, context))
        return err({ kind: 'cannot-unseal', reason: 'it does not authenticate' })
      return ok(textOf(mixed(key, nonce, fromBase64(hidden))))
    },
    isCurrent: (sealed) => sealed.startsWith(`${keys[0] ?? ''}.`),
  }
}

function mixed(key: string, nonce: string, bytes: readonly number[]): readonly number[] {
  const stream: number[] = []
  while (stream.length < bytes.length) stream.push(...hmacSha256(utf8(`stream of ${key}`), utf8(`${nonce}.${stream.length}`)))
  return bytes.map((byte, index) => byte ^ (stream[index] as number))
}

function tagOf(key: string, ...parts: readonly string[]): string {
  return toBase64(hmacSha256(utf8(`tag of ${key}`), utf8(JSON.stringify(parts))))
}

function textOf(bytes: readonly number[]): string {
  return decodeURIComponent(bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
}
