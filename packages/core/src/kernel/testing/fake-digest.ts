import type { Digest } from '../digest.ts'
import { sha256, utf8 } from './sha-256.ts'

/** The hashes of production. */
export function fakeDigest(): Digest {
  return {
    sha256: (text) =>
      sha256(utf8(text))
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join(''),
  }
}
