import { err, ok } from 'neverthrow'
import type { Digest } from '../../kernel/digest.ts'
import type { KeyRing } from '../../kernel/key-ring.ts'
import type { Mac } from '../../kernel/mac.ts'

/** Hashes that cost next to nothing: worlds need them to tell things apart, not to hold against anybody. */
export const cheapDigest: Digest = { sha256: (text) => mixed(text, 1) + mixed(text, 2) }

export const cheapMac: Mac = {
  hmacSha256: (keyBase64, message) => mixed(`${keyBase64}\n${message}`, 3),
  equal: (left, right) => left === right,
}

/** One ring for all processes: what one seals, any other opens. */
export const cheapKeyRing: KeyRing = {
  seal: (secret, context) => `sealed ${context} ${secret}`,
  unseal: (sealed, context) => {
    const head = `sealed ${context} `
    return sealed.startsWith(head) ? ok(sealed.slice(head.length)) : err({ kind: 'cannot-unseal', reason: 'it does not authenticate' })
  },
  isCurrent: () => true,
}

/** 53 bits by cyrb53 (bryc, public domain). */
function mixed(text: string, seed: number): string {
  let high = 0xdeadbeef ^ seed
  let low = 0x41c6ce57 ^ seed
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    high = Math.imul(high ^ code, 2_654_435_761)
    low = Math.imul(low ^ code, 1_597_334_677)
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909)
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909)
  return (4_294_967_296 * (2_097_151 & low) + (high >>> 0)).toString(16).padStart(14, '0')
}
