import type { Identity } from '@cbp/core'
import { type CryptoKey, createRemoteJWKSet, decodeProtectedHeader, errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { identityOf } from './claims.ts'
import type { DevelopmentKey } from './development-key.ts'

export type TokenRefused = Readonly<{ kind: 'token-refused'; reason: string }>
export type KeysUnavailable = Readonly<{ kind: 'keys-unavailable'; reason: string }>
export type Verification = Identity | TokenRefused | KeysUnavailable

/** Verifies a bearer token. Answers at once for one verified a moment ago. */
export type VerifyToken = (token: string) => Verification | Promise<Verification>

/** Where the one issuer's keys come from. `secret` (HS256) is for development only. */
export type TokenRules = Readonly<{
  issuer: string
  audience: string
  keys: Readonly<{ kind: 'local'; key: DevelopmentKey }> | Readonly<{ kind: 'jwks'; url: string }>
  secret: string | null
}>

export const tokenLimitBytes: number = 8 * 1024
const toleranceSeconds = 60
const cacheTimeMs = 60_000
const cacheCapacity = 10_000
const fetchDeadlineMs = 3_000
const signatureAlgorithms = ['EdDSA', 'Ed25519', 'ES256', 'RS256']

export function isRefused(verification: Verification): verification is TokenRefused | KeysUnavailable {
  return 'kind' in verification
}

/** RFC 8725: one issuer, exact audience, a list of algorithms each bound to its own kind of key, `exp` required, `crit` refused. */
export function tokenVerifier(rules: TokenRules, now: () => number = Date.now): VerifyToken {
  const getKey = keySource(rules)
  const algorithms = rules.secret === null ? signatureAlgorithms : [...signatureAlgorithms, 'HS256']
  const verified = new Map<string, Readonly<{ identity: Identity; untilMs: number }>>()

  const verify = async (token: string): Promise<Verification> => {
    const headerFault = checkHeader(token)
    if (headerFault !== null) return refused(headerFault)
    try {
      const { payload } = await jwtVerify(token, getKey, {
        algorithms,
        issuer: rules.issuer,
        audience: rules.audience,
        clockTolerance: toleranceSeconds,
        requiredClaims: ['exp'],
        currentDate: new Date(now()),
      })
      const identity = identityOf(payload)
      if (typeof identity === 'string') return refused(identity)
      remember(verified, token, identity, now())
      return identity
    } catch (error) {
      return explain(error)
    }
  }

  return (token) => {
    const known = verified.get(token)
    if (known !== undefined) {
      if (now() < known.untilMs) return known.identity
      verified.delete(token)
    }
    return verify(token)
  }
}

/** Never beyond `exp`: within the tolerance after it each use is verified anew. */
function remember(
  verified: Map<string, Readonly<{ identity: Identity; untilMs: number }>>,
  token: string,
  identity: Identity,
  nowMs: number,
): void {
  const untilMs = Math.min(nowMs + cacheTimeMs, identity.expiresAt)
  if (untilMs <= nowMs) return
  if (verified.size >= cacheCapacity) {
    const [oldest] = verified.keys()
    if (oldest !== undefined) verified.delete(oldest)
  }
  verified.set(token, { identity, untilMs })
}

function keySource({ keys, secret }: TokenRules): JWTVerifyGetKey {
  const secretKey = secret === null ? null : new TextEncoder().encode(secret)
  const remote =
    keys.kind === 'jwks'
      ? createRemoteJWKSet(new URL(keys.url), { timeoutDuration: fetchDeadlineMs, cooldownDuration: 30_000, cacheMaxAge: 600_000 })
      : null
  return async (header, token): Promise<CryptoKey | Uint8Array> => {
    // The algorithm chooses the key, so that no key is ever used with an algorithm of another kind.
    if (header.alg === 'HS256' && secretKey !== null) return secretKey
    if (remote !== null) return remote(header, token)
    if (keys.kind === 'local' && (header.kid === undefined || header.kid === keys.key.kid)) return keys.key.publicKey
    throw new errors.JWKSNoMatchingKey()
  }
}

function checkHeader(token: string): string | null {
  if (token.length > tokenLimitBytes) return `it is larger than ${tokenLimitBytes} bytes`
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return 'it is not a JWT'
  let header: ReturnType<typeof decodeProtectedHeader>
  try {
    header = decodeProtectedHeader(token)
  } catch {
    return 'it is not a JWT'
  }
  if (header['crit'] !== undefined) return 'it demands extensions (crit) that are not supported'
  const { kid } = header
  if (kid !== undefined && (typeof kid !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(kid))) return 'its kid is not acceptable'
  return null
}

function explain(error: unknown): TokenRefused | KeysUnavailable {
  if (error instanceof errors.JWTExpired) return refused('it has expired')
  if (error instanceof errors.JWTClaimValidationFailed) return refused(`its claim ${error.claim} is not acceptable (${error.reason})`)
  if (error instanceof errors.JOSEAlgNotAllowed) return refused('its algorithm is not allowed')
  if (error instanceof errors.JWSSignatureVerificationFailed) return refused('its signature does not verify')
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return refused('no key of the issuer matches it')
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || !(error instanceof errors.JOSEError)) {
    // A key of the wrong type for the algorithm is the token's fault; what else is no JOSE error comes from fetching keys.
    if (error instanceof TypeError && /key/i.test(error.message) && !/fetch/i.test(error.message))
      return refused('its algorithm does not fit the key')
    return { kind: 'keys-unavailable', reason: error instanceof Error ? error.message : String(error) }
  }
  // The remote set reports an unusable answer of the issuer with the base error.
  if (error.code === 'ERR_JOSE_GENERIC') return { kind: 'keys-unavailable', reason: error.message }
  return refused('it is not a valid JWT')
}

function refused(reason: string): TokenRefused {
  return { kind: 'token-refused', reason }
}
