import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { secretValue } from '@cbp/core'
import { CompactSign, exportJWK, exportSPKI, generateKeyPair } from 'jose'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { audience, issuer, key, openApp, token } from '../../tests/support.ts'
import { loadDevelopmentKey, mintToken } from './development-key.ts'
import { type TokenRules, tokenVerifier } from './verify-token.ts'

const local: TokenRules = { issuer, audience, keys: { kind: 'local', key }, secret: null }
const seconds = (): number => Math.floor(Date.now() / 1000)

function unsigned(header: object, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(claims)}.`
}

const claims = { iss: issuer, aud: audience, sub: 'x', exp: seconds() + 600, scope: 'config:read' }
const spki = new TextEncoder().encode(await exportSPKI((await generateKeyPair('RS256')).publicKey))
const stranger = (await generateKeyPair('EdDSA')).privateKey

describe('refused tokens', () => {
  it.each<[string, () => Promise<string> | string]>([
    ['expired', () => token({ exp: seconds() - 61 })],
    ['not valid yet', () => token({ nbf: seconds() + 90 })],
    ['of another issuer', () => token({ iss: 'https://other.test' })],
    ['for another audience', () => token({ aud: 'other' })],
    ['for an audience that begins alike', () => token({ aud: `${audience}/x` })],
    ['without exp', () => token({ exp: undefined })],
    ['without a client', () => token({ sub: undefined })],
    ['with a scope that is no text', () => token({ scope: ['admin'] })],
    ['with cbp_scopes that are none', () => token({ cbp_scopes: ['production'] })],
    ['with cbp_scopes that are no list', () => token({ cbp_scopes: 7 })],
    ['signed by a stranger', () => token({}, {}, stranger)],
    ['of another key', () => token({}, { kid: 'other' })],
    ['with a wild kid', () => token({}, { kid: '../../etc/passwd\n' })],
    ['unsigned', () => unsigned({ alg: 'none' }, claims)],
    ['signed with a public key as secret', () => token({}, { alg: 'HS256' }, spki)],
    [
      'with crit',
      () =>
        new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
          .setProtectedHeader({ alg: 'EdDSA', crit: ['b64'], b64: true })
          .sign(key.privateKey),
    ],
    ['too large', () => token({ padding: 'x'.repeat(9000) })],
    [
      'of claims that are no JSON',
      () => new CompactSign(new TextEncoder().encode('x')).setProtectedHeader({ alg: 'EdDSA' }).sign(key.privateKey),
    ],
    ['of two parts', () => 'e30.e30'],
    ['an API key', () => 'cbp_dev_abc_def'],
  ])('a token %s', async (_name, make) => {
    expect(await tokenVerifier(local)(await make())).toMatchObject({ kind: 'token-refused' })
    const { call } = await openApp()
    const response = await call('GET', '/config', { headers: { authorization: `Bearer ${await make()}` } })
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('error="invalid_token"')])
  })
})

describe('accepted tokens', () => {
  it.each([
    [{ client_id: 'billing', azp: 'b', sub: 'c' }, 'billing'],
    [{ azp: 'b', sub: 'c' }, 'b'],
    [{ sub: 'c' }, 'c'],
  ])('names the client by client_id, azp, sub: %j', async (given, client) => {
    expect(await tokenVerifier(local)(await token(given))).toMatchObject({ client: `${issuer}|${client}` })
  })

  it('tolerates a minute after exp', async () => {
    expect(await tokenVerifier(local)(await token({ exp: seconds() - 30 }))).toHaveProperty('client')
  })

  it('ignores keys that the token brings along', async () => {
    expect(await tokenVerifier(local)(await token({}, { jku: 'https://evil.test/jwks', x5u: 'https://evil.test' }))).toHaveProperty(
      'client',
    )
  })

  it('takes HS256 where a secret is set, and only that secret', async () => {
    const secret = 'a development secret of some length'
    const verify = tokenVerifier({ ...local, secret: secretValue(secret) })
    expect(await verify(await token({}, { alg: 'HS256' }, new TextEncoder().encode(secret)))).toHaveProperty('client')
    expect(await verify(await token({}, { alg: 'HS256' }, new TextEncoder().encode(`${secret}!`)))).toMatchObject({ kind: 'token-refused' })
  })

  it('answers at once for a token verified a moment ago, but never beyond its exp', async () => {
    let now = Date.now()
    const verify = tokenVerifier(local, { now: () => now })
    const given = await token({ exp: Math.floor(now / 1000) + 30 })
    await verify(given)
    expect(verify(given)).not.toBeInstanceOf(Promise)
    now += 31_000
    expect(verify(given)).toBeInstanceOf(Promise)
    now += 61_000
    expect(await verify(given)).toMatchObject({ kind: 'token-refused' })
  })

  it('verifies a long-lived token anew each minute', async () => {
    let now = Date.now()
    const verify = tokenVerifier(local, { now: () => now })
    const given = await token()
    await verify(given)
    now += 60_001
    expect(verify(given)).toBeInstanceOf(Promise)
  })
})

describe('keys from a JWKS', () => {
  async function serveKeys(answer: () => { status: number; body: string }): Promise<string> {
    const server = createServer((_incoming, outgoing) => {
      const { status, body } = answer()
      outgoing.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  }

  it.each(['ES256', 'RS256', 'EdDSA'])('verifies %s', async (alg) => {
    const pair = await generateKeyPair(alg)
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg }
    const url = await serveKeys(() => ({ status: 200, body: JSON.stringify({ keys: [jwk] }) }))
    const verify = tokenVerifier({ ...local, keys: { kind: 'jwks', url } })
    expect(await verify(await token({}, { alg, kid: 'k1' }, pair.privateKey))).toHaveProperty('client')
    expect(await verify(await token({}, { alg, kid: 'k2' }, pair.privateKey))).toMatchObject({ kind: 'token-refused' })
  })

  it.each([
    ['an error', () => ({ status: 500, body: '' })],
    ['no JSON', () => ({ status: 200, body: 'x' })],
    ['no key set', () => ({ status: 200, body: '{}' })],
  ])('answers 503 when the issuer answers %s', async (_name, answer) => {
    const url = await serveKeys(answer)
    const { call } = await openApp({ verifyToken: tokenVerifier({ ...local, keys: { kind: 'jwks', url } }) })
    const response = await call('GET', '/config')
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([503, 'keys-unavailable'])
  })

  it('answers 503 when the issuer cannot be reached', async () => {
    const { call } = await openApp({ verifyToken: tokenVerifier({ ...local, keys: { kind: 'jwks', url: 'http://127.0.0.1:1/jwks' } }) })
    expect((await call('GET', '/config')).status).toBe(503)
  })
})

describe('the key of development', () => {
  async function dataDir(): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'cbp-key-'))
    onTestFinished(() => rm(dir, { recursive: true }))
    return join(dir, 'data')
  }

  it('is one key however many processes make it, and readable by its owner alone', async () => {
    const dir = await dataDir()
    const keys = await Promise.all([1, 2, 3].map(() => loadDevelopmentKey(dir)))
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1)
    const file = join(dir, 'development-signing-key.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ kty: 'OKP', crv: 'Ed25519' })
  })

  it('mints tokens that its server accepts', async () => {
    const made = await loadDevelopmentKey(await dataDir())
    const minted = await mintToken(made, {
      subject: 'me',
      scope: 'config:read',
      configScopes: ['/production'],
      expiresInSeconds: 60,
      issuer,
      audience,
    })
    const verified = await tokenVerifier({ ...local, keys: { kind: 'local', key: made } })(minted.token)
    expect(verified).toMatchObject({ client: `${issuer}|me`, configScopes: ['/production'], expiresAt: Date.parse(minted.expiresAt) })
  })
})

it('does not look at a token again that it has just verified', async () => {
  const verifyToken = vi.fn(tokenVerifier(local))
  const { call } = await openApp({ verifyToken })
  const headers = { authorization: `Bearer ${await token()}` }
  await call('GET', '/config', { headers })
  await call('GET', '/config', { headers })
  expect(verifyToken.mock.results[1]?.value).not.toBeInstanceOf(Promise)
})
