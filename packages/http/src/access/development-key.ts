import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { keepFirst, readIfThere } from '../assembly/keys/kept-file.ts'

/** The key pair with which development signs and verifies its own tokens. */
export type DevelopmentKey = Readonly<{ kid: string; privateKey: CryptoKey; publicKey: CryptoKey }>

const fileName = 'development-signing-key.json'

/** Loads the Ed25519 key pair of a data directory, made at first use. Processes that start together end up with one key. */
export async function loadDevelopmentKey(dataDir: string): Promise<DevelopmentKey> {
  const path = join(dataDir, fileName)
  return await readKey(path, (await readIfThere(path)) ?? (await keepFirst(path, await makeKey())))
}

async function readKey(path: string, text: string): Promise<DevelopmentKey> {
  try {
    return await importKey(text)
  } catch (error) {
    throw new Error(`${path} holds no signing key; delete it, and another is made. Tokens signed before have to be made anew.`, {
      cause: error,
    })
  }
}

async function importKey(text: string): Promise<DevelopmentKey> {
  const jwk = JSON.parse(text) as JWK
  if (jwk.kty !== 'OKP' || typeof jwk.d !== 'string') throw new Error('it is no private Ed25519 key')
  const { d: _private, ...publicJwk } = jwk
  const [privateKey, publicKey] = await Promise.all([importJWK(jwk, 'EdDSA'), importJWK(publicJwk, 'EdDSA')])
  return { kid: jwk.kid ?? '', privateKey: privateKey as CryptoKey, publicKey: publicKey as CryptoKey }
}

async function makeKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  return JSON.stringify({ ...(await exportJWK(privateKey)), kid: `development-${randomUUID()}`, alg: 'EdDSA' })
}

export type TokenRequest = Readonly<{
  subject: string
  /** Permissions with spaces between. */
  scope: string
  /** Confines the token to these configuration scopes and below; `null` or absent does not. */
  configScopes?: readonly string[] | null
  expiresInSeconds: number
  issuer: string
  audience: string
}>

/** Signs a token that a development server over the same data directory accepts. */
export async function mintToken(key: DevelopmentKey, request: TokenRequest): Promise<Readonly<{ token: string; expiresAt: string }>> {
  const now = Math.floor(Date.now() / 1000)
  const exp = now + request.expiresInSeconds
  const confined = request.configScopes === undefined || request.configScopes === null ? {} : { cbp_scopes: request.configScopes }
  const token = await new SignJWT({ scope: request.scope, ...confined })
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ: 'JWT' })
    .setSubject(request.subject)
    .setIssuer(request.issuer)
    .setAudience(request.audience)
    .setIssuedAt(now)
    .setExpirationTime(exp)
    .sign(key.privateKey)
  return { token, expiresAt: new Date(exp * 1000).toISOString() }
}
