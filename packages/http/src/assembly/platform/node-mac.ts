import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { Mac } from '@cbp/core'

export const nodeMac: Mac = {
  hmacSha256: (keyBase64, message) => createHmac('sha256', Buffer.from(keyBase64, 'base64')).update(message, 'utf8').digest('base64'),
  // Digests have one length, whatever was sent. UTF-16, because UTF-8 maps all lone surrogates to one character.
  equal: (left, right) => timingSafeEqual(digestOf(left), digestOf(right)),
}

function digestOf(text: string): Buffer {
  return hash('sha256', Buffer.from(text, 'utf16le'), 'buffer')
}
