import type { Identity, Log, SecretValue } from '@cbp/core'
import { type CryptoKey, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import { identityOf } from './claims.ts'
import type { DevelopmentKey } from './development-key.ts'
import { type FindKeys, issuerKeys, type TokenHeader } from './issuer-keys.ts'
import { hasClearClaims, readTokenHeader } from './token-header.ts'
import { plainPolicy, type TokenMarks, type TokenPolicy } from './token-policy.ts'

export type TokenRefused = Readonly<{ kind: 'token-refused'; reason: string }>
export type KeysUnavailable = Readonly<{ kind: 'keys-unavailable'; reason: string }>
export type Verification = Identity | TokenRefused | KeysUnavailable

/** SHA-256 of the client certificate of the connection, base64url; `null` where there is none. */
export type CertificateOf = () => string | null

/** Verifies a bearer token. Answers at once for one verified a moment ago. */
export type VerifyToken = (token: string, certificate?: CertificateOf) => Verification | Promise<Verification>

/** Where the one issuer's keys come from. `secret` (HS256) is for development only. */
export type TokenRules = Readonly<{
  issuer: string
  audience: string
  keys: Readonly<{ kind: 'local'; key: DevelopmentKey }> | Readonly<{ kind: 'jwks'; url: string }>
  secret: SecretValue | null
}>

export type VerifierOptions = Readonly<{
  /** As it is now; asked for each token, so it must be at hand. */
  policy?: () => TokenPolicy
  log?: Log
  /** Wall clock, in milliseconds. */
  now?: () => number
}>

const toleranceSeconds = 60
const cacheTimeMs = 60_000
const cacheCapacity = 10_000
const signatureAlgorithms = ['EdDSA', 'Ed25519', 'ES256', 'RS256']
const silent: Log = { write: () => {} }

/** `thumbprint`: of the certificate that the token is bound to (RFC 8705, 3.1). */
type Verified = Readonly<{ identity: Identity; thumbprint: string | null; untilMs: number }>

/**
 * RFC 8725: one issuer, exact audience, a list of algorithms each bound to its own kind of key, `exp` required, `crit`
 * refused. What was verified is remembered for a minute, never beyond `exp`, and never past a change of the policy.
 */
export function tokenVerifier(rules: TokenRules, options: VerifierOptions = {}): VerifyToken {
  const { policy = () => plainPolicy, log = silent, now = Date.now } = options
  const findKeys = keySource(rules, log, now)
  const algorithms = rules.secret === null ? signatureAlgorithms : [...signatureAlgorithms, 'HS256']
  const checks: JWTVerifyOptions = {
    algorithms,
    issuer: rules.issuer,
    audience: rules.audience,
    clockTolerance: toleranceSeconds,
    requiredClaims: ['exp'],
  }
  const verified = new Map<string, Verified>()
  const verifying = new Map<string, Promise<Verified | TokenRefused | KeysUnavailable>>()
  let policyThen = policy()

  const verify = async (token: string): Promise<Verified | TokenRefused | KeysUnavailable> => {
    const policyNow = policyThen
    const header = readTokenHeader(token)
    if (typeof header === 'string') return refused(header)
    if (!algorithms.includes(header.alg)) return refused('its algorithm is not allowed')
    const keys = await findKeys(header)
    if (keys === 'away') return { kind: 'keys-unavailable', reason: 'the keys of the issuer cannot be read' }
    const nowMs = now()
    const payload = await firstVerified(token, keys, { ...checks, currentDate: new Date(nowMs) })
    if ('kind' in payload) return payload
    const accepted = accept(token, payload.claims, policyNow, nowMs)
    if (!('kind' in accepted) && policyNow === policyThen) remember(verified, token, accepted, nowMs)
    return accepted
  }

  return (token, certificate = noCertificate) => {
    if (policy() !== policyThen) {
      policyThen = policy()
      verified.clear()
      verifying.clear()
    }
    const known = verified.get(token)
    if (known !== undefined && now() < known.untilMs) return bound(known, certificate)
    const pending = verifying.get(token) ?? verify(token)
    verifying.set(token, pending)
    return pending.then((settled) => {
      if (verifying.get(token) === pending) verifying.delete(token)
      return 'kind' in settled ? settled : bound(settled, certificate)
    })
  }
}

const noCertificate: CertificateOf = () => null

/** A token that is bound to a certificate is worth nothing without it. */
function bound({ identity, thumbprint }: Verified, certificate: CertificateOf): Identity | TokenRefused {
  if (thumbprint === null || certificate() === thumbprint) return identity
  return refused('it is bound to a client certificate that this connection does not show')
}

async function firstVerified(
  token: string,
  keys: readonly (CryptoKey | Uint8Array)[],
  checks: JWTVerifyOptions,
): Promise<Readonly<{ claims: JWTPayload }> | TokenRefused> {
  let last = refused('no key of the issuer matches it')
  for (const key of keys) {
    try {
      return { claims: (await jwtVerify(token, key, checks)).payload }
    } catch (error) {
      last = refused(explain(error))
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) return last
    }
  }
  return last
}

function accept(token: string, claims: JWTPayload, policy: TokenPolicy, nowMs: number): Verified | TokenRefused {
  if (!hasClearClaims(token)) return refused('its claims are not a JSON object whose members each stand once')
  const { jti, iat, cnf } = claims
  if (jti !== undefined && typeof jti !== 'string') return refused('its claim jti is not acceptable')
  if (iat !== undefined && !Number.isFinite(iat)) return refused('its claim iat is not acceptable')
  const thumbprint = thumbprintOf(cnf)
  if (thumbprint === undefined) return refused('its claim cnf is not acceptable')
  const identity = identityOf(claims, policy.roles)
  if (typeof identity === 'string') return refused(identity)
  const marks: TokenMarks = { id: jti ?? null, client: identity.client, issuedAtSeconds: iat ?? null }
  if (policy.isRevoked(marks)) return refused('it has been revoked')
  return { identity, thumbprint, untilMs: Math.min(nowMs + cacheTimeMs, identity.expiresAt) }
}

/** `undefined` for a binding to something else, of which nobody here could tell whether it holds. */
function thumbprintOf(cnf: unknown): string | null | undefined {
  if (cnf === undefined) return null
  const thumbprint = typeof cnf === 'object' && cnf !== null ? (cnf as Readonly<Record<string, unknown>>)['x5t#S256'] : undefined
  return typeof thumbprint === 'string' ? thumbprint : undefined
}

/** Never beyond `exp`: within the tolerance after it each use is verified anew. */
function remember(verified: Map<string, Verified>, token: string, accepted: Verified, nowMs: number): void {
  if (accepted.untilMs <= nowMs) return
  verified.delete(token)
  if (verified.size >= cacheCapacity) {
    const [oldest] = verified.keys()
    if (oldest !== undefined) verified.delete(oldest)
  }
  verified.set(token, accepted)
}

type FindAnyKeys = (header: TokenHeader) => Promise<readonly (CryptoKey | Uint8Array)[] | 'away'>

/** The algorithm chooses the key, so that no key is ever used with an algorithm of another kind. */
function keySource({ keys, secret }: TokenRules, log: Log, now: () => number): FindAnyKeys {
  const secretKeys = secret === null ? [] : [new TextEncoder().encode(secret.reveal())]
  const ofIssuer = keys.kind === 'jwks' ? issuerKeys({ url: keys.url, log, now }) : localKey(keys.key)
  return async (header) => (header.alg === 'HS256' ? secretKeys : ofIssuer(header))
}

function localKey({ kid, publicKey }: DevelopmentKey): FindKeys {
  return async (header) => {
    const isOurs = header.kid === undefined || header.kid === kid
    return isOurs && (header.alg === 'EdDSA' || header.alg === 'Ed25519') ? [publicKey] : []
  }
}

function explain(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired'
  if (error instanceof errors.JWTClaimValidationFailed) return `its claim ${error.claim} is not acceptable (${error.reason})`
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its algorithm is not allowed'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature does not verify'
  return 'it is not a valid JWT'
}

function refused(reason: string): TokenRefused {
  return { kind: 'token-refused', reason }
}
