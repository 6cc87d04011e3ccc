import type { JsonObject, RecipientSeal, UnusableRecipient } from '@cbp/core'
import type { JWK } from 'jose'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { z } from 'zod'

type Algorithm = 'ECDH-ES+A256KW' | 'RSA-OAEP-256'

const contentEncryption = 'A256GCM'
const kidLength = 200
/** Larger ones only cost time. */
const rsaBits = { least: 2048, most: 8192 }
/** NIST SP 800-56B, 6.2: odd, and at least 65537. To the power of 1 everything is sent in the clear, and OpenSSL does it. */
const leastExponent = 65_537

const coordinate = z.base64url().min(42).max(88)
const publicMembers = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('EC'), crv: z.enum(['P-256', 'P-384', 'P-521']), x: coordinate, y: coordinate }),
  z.object({ kty: z.literal('OKP'), crv: z.literal('X25519'), x: coordinate }),
  z.object({ kty: z.literal('RSA'), n: z.base64url().max(2048), e: z.base64url().max(8) }),
])
/** RFC 7517, 4.2, 4.3 and 7518, 6: what would make it more than a public key. */
const privateMembers: readonly string[] = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
/** What the holder of the public key may do for either algorithm. */
const operations: Readonly<Record<Algorithm, readonly string[]>> = {
  'ECDH-ES+A256KW': ['deriveKey', 'deriveBits'],
  'RSA-OAEP-256': ['wrapKey', 'encrypt'],
}

/** Seals by jose. What is told of a key that does not serve is made of our own words: the library's might quote it. */
export const joseRecipientSeal: RecipientSeal = {
  seal: (recipient, secret) => new ResultAsync(sealTo(recipient, secret.reveal())),
}

async function sealTo(recipient: JsonObject, secret: string): Promise<Result<string, UnusableRecipient>> {
  const checked = checkRecipient(recipient)
  if (checked.isErr()) return unusable(checked.error)
  const { algorithm, jwk, kid } = checked.value
  const { CompactEncrypt, importJWK } = await import('jose')
  const header = { alg: algorithm, enc: contentEncryption, ...(kid === null ? {} : { kid }) }
  try {
    const key = await importJWK(jwk, algorithm)
    return ok(await new CompactEncrypt(new TextEncoder().encode(secret)).setProtectedHeader(header).encrypt(key))
  } catch {
    // Some keys, such as a point of small order, import and then agree on nothing.
    return unusable('it is no point of its curve, or no modulus')
  }
}

type Recipient = Readonly<{ algorithm: Algorithm; jwk: JWK; kid: string | null }>

function checkRecipient(recipient: JsonObject): Result<Recipient, string> {
  if (privateMembers.some((name) => Object.hasOwn(recipient, name))) {
    return err('it has private or symmetric members; send the public key alone')
  }
  const { kty, kid, use, alg, key_ops: keyOps } = recipient
  if (kty === 'oct') return err('it is a symmetric key')
  const parsed = publicMembers.safeParse(recipient)
  if (!parsed.success) return err('it is no public key of the type EC (P-256, P-384, P-521), OKP (X25519) or RSA')
  const jwk = parsed.data
  const bits = jwk.kty === 'RSA' ? bitLength(jwk.n) : null
  if (bits !== null && (bits < rsaBits.least || bits > rsaBits.most)) {
    return err(`an RSA key has ${rsaBits.least} to ${rsaBits.most} bits, this one ${bits}`)
  }
  if (jwk.kty === 'RSA' && !isUsableExponent(jwk.e)) return err(`the exponent of an RSA key is odd and at least ${leastExponent}`)
  const algorithm = jwk.kty === 'RSA' ? 'RSA-OAEP-256' : 'ECDH-ES+A256KW'
  if (use !== undefined && use !== 'enc') return err('its use is not enc')
  if (alg !== undefined && alg !== algorithm) return err(`its alg is not ${algorithm}`)
  if (keyOps !== undefined && !allows(keyOps, operations[algorithm]))
    return err(`its key_ops name none of ${operations[algorithm].join(', ')}`)
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > kidLength)) {
    return err(`its kid is no text of at most ${kidLength} characters`)
  }
  // Only what was checked is handed on.
  return ok({ algorithm, jwk, kid: kid ?? null })
}

/** An ECDH public key of the Web Crypto API names no operation at all. */
function allows(keyOps: JsonObject[string], wanted: readonly string[]): boolean {
  if (!Array.isArray(keyOps)) return false
  return (keyOps.length === 0 && wanted.includes('deriveBits')) || keyOps.some((each) => typeof each === 'string' && wanted.includes(each))
}

function bitLength(modulus: string): number {
  const bytes = Buffer.from(modulus, 'base64url')
  const first = bytes.findIndex((byte) => byte !== 0)
  return first === -1 ? 0 : (bytes.length - first) * 8 - (Math.clz32(bytes[first] ?? 0) - 24)
}

/** Of at most 6 bytes, as the schema has it. */
function isUsableExponent(exponent: string): boolean {
  const bytes = Buffer.from(exponent, 'base64url')
  const value = bytes.length === 0 ? 0 : bytes.readUIntBE(0, bytes.length)
  return value >= leastExponent && value % 2 === 1
}

function unusable(reason: string): Result<never, UnusableRecipient> {
  return err({ kind: 'unusable-recipient', reason })
}
