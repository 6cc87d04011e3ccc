import { shapeFault } from '../server/json-shape.ts'
import type { TokenHeader } from './issuer-keys.ts'

/** The largest token that is looked at. */
const tokenLimitBytes: number = 8 * 1024

const shapeLimits = { depth: 16, members: 1000 }
const decoder = new TextDecoder('utf-8', { fatal: true })
const tokenForm = /^[\w-]+\.[\w-]+\.[\w-]*$/
const keyIdForm = /^[\x21-\x7e]{1,256}$/
/** RFC 7515, 4.1.9, and RFC 9068, 2.1; in any case of letters. */
const types: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/jwt', 'application/at+jwt'])
/** They change what the signature covers, or what is inside; none of them is needed, and each has been abused. */
const demands = ['crit', 'b64', 'zip', 'enc', 'cty'] as const

/** Reads the header of a token, which nobody has vouched for yet; answers what is wrong with it as text. Where keys may be had is not read at all. */
export function readTokenHeader(token: string): TokenHeader | string {
  if (token.length > tokenLimitBytes) return `it is larger than ${tokenLimitBytes} bytes`
  if (!tokenForm.test(token)) return 'it is not a JWT'
  const header = decodePart(token.slice(0, token.indexOf('.')))
  if (header === null) return 'its header is not a JSON object whose members each stand once'
  const { alg, kid, typ } = header
  if (typeof alg !== 'string') return 'its algorithm is not allowed'
  for (const name of demands) if (Object.hasOwn(header, name)) return `it demands extensions (${name}) that are not supported`
  if (typ !== undefined && (typeof typ !== 'string' || !types.has(typ.toLowerCase()))) return 'its type is not that of an access token'
  if (kid === undefined) return { alg }
  return typeof kid === 'string' && keyIdForm.test(kid) ? { alg, kid } : 'its kid is not acceptable'
}

/** Whether the claims say each thing once; of two claims with one name others might read the other one. */
export function hasClearClaims(token: string): boolean {
  return decodePart(token.slice(token.indexOf('.') + 1, token.lastIndexOf('.'))) !== null
}

function decodePart(part: string): Readonly<Record<string, unknown>> | null {
  try {
    const text = decoder.decode(Buffer.from(part, 'base64url'))
    if (shapeFault(text, shapeLimits) !== null) return null
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : null
  } catch {
    return null
  }
}
