import { randomUUID } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { prepareDataDirectory } from '../directory.ts'

/** The key pair with which development signs and verifies its own tokens. */
export type DevelopmentKey = Readonly<{ kid: string; privateKey: CryptoKey; publicKey: CryptoKey }>

const fileName = 'development-signing-key.json'

/** Loads the Ed25519 key pair of a data directory, made at first use. Processes that start together end up with one key. */
export async function loadDevelopmentKey(dataDir: string): Promise<DevelopmentKey> {
  const path = join(dataDir, fileName)
  return (await readKey(path)) ?? (await makeKey(dataDir, path))
}

async function readKey(path: string): Promise<DevelopmentKey | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as { code?: unknown }
    // What is wrong with the folder shows when the key is made.
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
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

async function makeKey(dataDir: string, path: string): Promise<DevelopmentKey> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const kid = `development-${randomUUID()}`
  await prepareDataDirectory(dataDir)
  const own = `${path}.${kid}`
  await writeFile(own, JSON.stringify({ ...(await exportJWK(privateKey)), kid, alg: 'EdDSA' }), { mode: 0o600, flag: 'wx' })
  try {
    // A link never replaces: the first of several processes wins, and its file is whole from the start.
    await link(own, path)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error
  } finally {
    await rm(own)
  }
  const kept = await readKey(path)
  if (kept === null) throw new Error(`${path} was removed while it was made`)
  return kept
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
