import type { Mac } from '../mac.ts'
import { fromBase64, toBase64 } from './base-64.ts'
import { sha256, utf8 } from './sha-256.ts'

/** HMAC-SHA256 in plain arithmetic: signatures in tests are those of production. Its comparison is no secret keeper. */
export function fakeMac(): Mac {
  return {
    hmacSha256: (keyBase64, message) => toBase64(hmacSha256(fromBase64(keyBase64), utf8(message))),
    equal: (left, right) => left === right,
  }
}

const blockBytes = 64

/** RFC 2104. */
export function hmacSha256(key: readonly number[], message: readonly number[]): readonly number[] {
  const short = key.length > blockBytes ? sha256(key) : key
  const block = Array.from({ length: blockBytes }, (_, index) => short[index] ?? 0)
  const inner = sha256([...block.map((byte) => byte ^ 0x36), ...message])
  return sha256([...block.map((byte) => byte ^ 0x5c), ...inner])
}
