import { createCipheriv, createDecipheriv, type DecipherGCM, type KeyObject, randomBytes } from 'node:crypto'
import type { CannotUnseal, KeyRing, Sealed } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'

/** A key-encryption key of 32 bytes, out of reach of a heap that is written out as text, and the name that sealed secrets call it by. */
export type NamedKey = Readonly<{ id: string; key: KeyObject }>

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const authTagLength = 16

/**
 * Seals as `v1.<key id>.<nonce>.<ciphertext>.<tag>`, the last three in base64url, with the first key; opens with the one
 * that is named. The context is the associated data (NIST SP 800-38D).
 */
export function aesKeyRing(keys: readonly [NamedKey, ...NamedKey[]]): KeyRing {
  const [current] = keys
  const keysById = new Map(keys.map(({ id, key }) => [id, key]))
  return {
    seal: (secret, context) => {
      // In UTF-8 all lone surrogates are one: they would not come back, and contexts would be mistaken for one another.
      if (!secret.isWellFormed() || !context.isWellFormed()) throw new TypeError('only well-formed text can be sealed')
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv(algorithm, current.key, nonce, { authTagLength })
      cipher.setAAD(Buffer.from(context))
      const ciphertext = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return ['v1', current.id, ...[nonce, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join('.')
    },
    unseal: (sealed, context) => {
      const [version, id = '', nonceText, ciphertextText, tagText, ...rest] = sealed.split('.')
      if (version !== 'v1' || rest.length > 0) return cannotUnseal('it is not of the form that this version seals')
      const key = keysById.get(id)
      if (key === undefined) return cannotUnseal('its key is not on the ring')
      const [nonce, ciphertext, tag] = [bytesOf(nonceText), bytesOf(ciphertextText), bytesOf(tagText)]
      if (nonce?.length !== nonceBytes || ciphertext === null || tag?.length !== authTagLength || !context.isWellFormed()) {
        return cannotUnseal('it was changed')
      }
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength })
      decipher.setAAD(Buffer.from(context)).setAuthTag(tag)
      return opened(decipher, ciphertext)
    },
    isCurrent: (sealed) => sealed.startsWith(`v1.${current.id}.`),
  }
}

/** The bytes are wiped whether they authenticate or not; the text itself goes when it is collected. */
function opened(decipher: DecipherGCM, ciphertext: Buffer): Result<string, CannotUnseal> {
  const plaintext = decipher.update(ciphertext)
  try {
    // GCM is a stream: all of the text is there before the tag is checked.
    decipher.final()
    return ok(plaintext.toString('utf8'))
  } catch {
    return cannotUnseal('it was changed, or belongs to another record')
  } finally {
    plaintext.fill(0)
  }
}

/** The key that a sealed secret needs; `null` where it names none. */
export function keyIdOf(sealed: Sealed): string | null {
  const [version, id] = sealed.split('.', 2)
  return version === 'v1' && id !== undefined && id !== '' ? id : null
}

/** `null` unless it is what encoding these bytes gives: decoders also take other characters for the spare bits at the end. */
function bytesOf(text: string | undefined): Buffer | null {
  if (text === undefined) return null
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}

function cannotUnseal(reason: string): Result<never, CannotUnseal> {
  return err({ kind: 'cannot-unseal', reason })
}
