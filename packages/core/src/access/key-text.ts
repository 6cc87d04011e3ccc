import { err, ok, type Result } from 'neverthrow'
import type { Digest } from '../kernel/digest.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { SecretSource } from '../kernel/secret-source.ts'

/** Where a service runs; a key says where it belongs. */
export type DeploymentEnvironment = 'development' | 'staging' | 'production'

/** What an API key says of itself: the part that names it, and the part that only its holder knows. */
export type KeyText = Readonly<{ environment: DeploymentEnvironment; id: Uuid; secret: string }>

/** It was never given out like this. */
export type NoKeyText = 'malformed' | 'checksum'

/** Letters and digits alone, so that a double click selects the whole key. */
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const base = BigInt(alphabet.length)
/** 62^43 is the first power that reaches 2^256. */
const secretLength = 43
const secretBytes = 32
/** 62^6 is the first power that reaches 2^32: of 4 billion wrong keys one gets past it. */
const checksumLength = 6
const checksumHexDigits = 8

const form = /^cbp_(development|staging|production)_([0-9a-f]{32})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})$/
const longest = 'cbp_development_'.length + 32 + 1 + secretLength + 1 + checksumLength

/** `cbp_<environment>_<id>_<secret>_<checksum>`. */
export function formatKeyText(digest: Digest, { environment, id, secret }: KeyText): string {
  const body = `cbp_${environment}_${id.replaceAll('-', '')}_${secret}`
  return `${body}_${checksumOf(digest, body)}`
}

/** Total, and in a time that its length bounds: the form has one way to match. */
export function parseKeyText(digest: Digest, text: string): Result<KeyText, NoKeyText> {
  if (text.length > longest) return err('malformed')
  const parts = form.exec(text)
  if (parts === null) return err('malformed')
  const [, environment, id, secret, checksum] = parts as unknown as [string, DeploymentEnvironment, string, string, string]
  if (checksumOf(digest, text.slice(0, -checksumLength - 1)) !== checksum) return err('checksum')
  return ok({ environment, id: withHyphens(id), secret })
}

/** 256 random bits. */
export function newKeySecret(source: SecretSource): string {
  return inAlphabet(bitsOf(source.base64(secretBytes)), secretLength)
}

function checksumOf(digest: Digest, body: string): string {
  let rest = Number.parseInt(digest.sha256(body).slice(0, checksumHexDigits), 16)
  let text = ''
  for (let place = 0; place < checksumLength; place += 1) {
    text = alphabet.charAt(rest % alphabet.length) + text
    rest = Math.floor(rest / alphabet.length)
  }
  return text
}

function inAlphabet(value: bigint, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest /= base) text = alphabet.charAt(Number(rest % base)) + text
  return text
}

const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The bits of whole bytes in base64, as one number. */
function bitsOf(base64: string): bigint {
  const letters = base64.replaceAll('=', '')
  const value = [...letters].reduce((bits, letter) => bits * 64n + BigInt(base64Alphabet.indexOf(letter)), 0n)
  // What base64 adds to fill its last letter.
  return value >> BigInt((letters.length * 6) % 8)
}

function withHyphens(id: string): Uuid {
  return `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}` as Uuid
}
