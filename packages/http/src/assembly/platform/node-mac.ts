import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Mac } from '@cbp/core'

export const nodeMac: Mac = {
  hmacSha256: (keyBase64, message) => createHmac('sha256', keyOf(keyBase64)).update(message, 'utf8').digest('base64'),
  // Digests have one length, whatever was sent. UTF-16, because UTF-8 maps all lone surrogates to one character.
  equal: (left, right) => timingSafeEqual(digestOf(left), digestOf(right)),
}

const keysKept = 256

/** Few keys are used again and again: peppers, that of the audit chain, signing secrets. Making one costs more than a MAC with it. */
const kept = new Map<string, KeyObject>()

function keyOf(keyBase64: string): KeyObject {
  const known = kept.get(keyBase64)
  if (known !== undefined) return known
  const bytes = Buffer.from(keyBase64, 'base64')
  const key = createSecretKey(bytes)
  bytes.fill(0)
  // The oldest goes, used or not: whatever is used comes back.
  if (kept.size >= keysKept) kept.delete(kept.keys().next().value ?? '')
  kept.set(keyBase64, key)
  return key
}

function digestOf(text: string): Buffer {
  return hash('sha256', Buffer.from(text, 'utf16le'), 'buffer')
}
