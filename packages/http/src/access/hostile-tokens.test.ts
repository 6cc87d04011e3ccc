import { createHmac, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { audience, issuer, openApp, type TestApp } from '../../tests/support.ts'
import { tokenVerifier } from './verify-token.ts'

type Members = Readonly<Record<string, unknown>>
type Signer = (input: string) => Buffer

const ed = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const weakRsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ec384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const secp = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
const stranger = generateKeyPairSync('ed25519')
const twin = generateKeyPairSync('ed25519')

const now = (): number => Math.floor(Date.now() / 1000)
const part = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const claims = (more: Members = {}): Members => {
  const all: Members = { iss: issuer, aud: audience, sub: 'mallory', exp: now() + 600, iat: now(), scope: 'admin', ...more }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

const byEd =
  (key: KeyObject): Signer =>
  (input) =>
    sign(null, Buffer.from(input), key)
const byRsa =
  (key: KeyObject): Signer =>
  (input) =>
    createSign('sha256').update(input).sign(key)
const byEc =
  (key: KeyObject, hash = 'sha256'): Signer =>
  (input) =>
    sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
const byHmac =
  (secret: string | Buffer): Signer =>
  (input) =>
    createHmac('sha256', secret).update(input).digest()
const ours = byEd(ed.privateKey)

function token(header: unknown, payload: unknown = claims(), signer: Signer | null = ours): string {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${signer === null ? '' : signer(input).toString('base64url')}`
}

const head: Members = { alg: 'EdDSA', kid: 'ed', typ: 'JWT' }
const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()
const zeros =
  (length: number): Signer =>
  () =>
    Buffer.alloc(length)
const text = (members: Members): string => JSON.stringify(members)
const good = (): string => token(head)

const headers: readonly (readonly [string, () => string])[] = [
  ['alg none', () => token({ alg: 'none' }, claims(), null)],
  ['alg none, and a signature', () => token({ alg: 'none', kid: 'ed' })],
  ['alg None in other letters', () => token({ alg: 'nOnE' }, claims(), null)],
  ['no alg', () => token({ kid: 'ed' })],
  ['an alg that is a list', () => token({ alg: ['EdDSA'], kid: 'ed' })],
  ['an alg that is a member of every object', () => token({ alg: 'constructor', kid: 'ed' })],
  ['HS256 with the public RSA key as its secret', () => token({ alg: 'HS256', kid: 'rsa' }, claims(), byHmac(pem(rsa.publicKey)))],
  ['HS256 with the public Ed25519 key as its secret', () => token({ alg: 'HS256', kid: 'ed' }, claims(), byHmac(pem(ed.publicKey)))],
  ['HS256 with an empty secret', () => token({ alg: 'HS256' }, claims(), byHmac(''))],
  ['RS512, which is on no list', () => token({ alg: 'RS512', kid: 'rsa' }, claims(), byRsa(rsa.privateKey))],
  ['PS256, which is on no list', () => token({ alg: 'PS256', kid: 'rsa' }, claims(), byRsa(rsa.privateKey))],
  ['ES384, which is on no list', () => token({ alg: 'ES384', kid: 'ec' }, claims(), byEc(ec384.privateKey, 'sha384'))],
  ['RS256 under the kid of an Ed25519 key', () => token({ alg: 'RS256', kid: 'ed' }, claims(), byRsa(rsa.privateKey))],
  ['ES256 under the kid of an RSA key', () => token({ alg: 'ES256', kid: 'rsa' }, claims(), byEc(ec.privateKey))],
  ['EdDSA under the kid of an EC key', () => token({ alg: 'EdDSA', kid: 'ec' })],
  ['ES256 on another curve', () => token({ alg: 'ES256', kid: 'ec' }, claims(), byEc(secp.privateKey))],
  ['ES256 with a signature of zeros', () => token({ alg: 'ES256', kid: 'ec' }, claims(), zeros(64))],
  [
    'ES256 with a signature in DER',
    () => token({ alg: 'ES256', kid: 'ec' }, claims(), (input) => sign('sha256', Buffer.from(input), ec.privateKey)),
  ],
  ['EdDSA with a signature of zeros', () => token(head, claims(), zeros(64))],
  ['EdDSA with an empty signature', () => token(head, claims(), zeros(0))],
  ['an RSA key that is too short', () => token({ alg: 'RS256', kid: 'weak' }, claims(), byRsa(weakRsa.privateKey))],
  ['a key that is for encryption', () => token({ alg: 'RS256', kid: 'enc' }, claims(), byRsa(rsa.privateKey))],
  ['a key that may only sign', () => token({ alg: 'EdDSA', kid: 'ops' })],
  ['a key that is bound to another algorithm', () => token({ alg: 'RS256', kid: 'bound' }, claims(), byRsa(rsa.privateKey))],
  ['a key whose private half is published', () => token({ alg: 'EdDSA', kid: 'lost' })],
  ['a symmetric key of the set', () => token({ alg: 'HS256', kid: 'oct' }, claims(), byHmac('published'))],
  ['a kid that nobody has', () => token({ ...head, kid: 'nobody' })],
  ['a kid that is a path', () => token({ ...head, kid: '../../../../dev/null' }, claims(), byHmac(''))],
  ['a kid with SQL in it', () => token({ ...head, kid: "x' UNION SELECT 'k" })],
  ['a kid with a line break', () => token({ ...head, kid: 'ed\r\nx-evil: 1' })],
  ['a kid with a NUL', () => token({ ...head, kid: 'ed\0' })],
  ['a kid of other letters that look alike', () => token({ ...head, kid: 'еd' })],
  ['a kid that is an object', () => token({ ...head, kid: { $ne: null } })],
  ['a kid of a megabyte, as far as it goes', () => token({ ...head, kid: 'k'.repeat(4000) })],
  [
    'an embedded key of a stranger',
    () => token({ alg: 'EdDSA', jwk: stranger.publicKey.export({ format: 'jwk' }) }, claims(), byEd(stranger.privateKey)),
  ],
  ['an address of keys of a stranger', () => token({ ...head, jku: 'https://evil.test/jwks' }, claims(), byEd(stranger.privateKey))],
  ['a certificate of a stranger', () => token({ ...head, x5u: 'https://evil.test/c', x5c: ['AAAA'] }, claims(), byEd(stranger.privateKey))],
  ['crit that names nothing known', () => token({ ...head, crit: ['exp'], exp: 1 })],
  ['crit that is empty', () => token({ ...head, crit: [] })],
  ['b64 false', () => token({ ...head, b64: false, crit: ['b64'] })],
  ['b64 false without crit', () => token({ ...head, b64: false })],
  ['zip', () => token({ ...head, zip: 'DEF' })],
  ['another token inside', () => token({ ...head, cty: 'JWT' }, good())],
  ['the type of an ID token of another kind', () => token({ ...head, typ: 'dpop+jwt' })],
  ['the type of a logout token', () => token({ ...head, typ: 'logout+jwt' })],
  ['a type that is no text', () => token({ ...head, typ: 1 })],
  ['an algorithm that stands twice', () => token('{"alg":"none","alg":"EdDSA","kid":"ed"}')],
  ['an algorithm that stands twice, once escaped', () => token('{"alg":"EdDSA","kid":"ed","\\u0061lg":"EdDSA"}')],
  ['a header that is a list', () => token([head])],
  ['a header that is no JSON', () => token('alg=EdDSA')],
  ['a header with a byte that is no text', () => `${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${part(claims())}.AAAA`],
]

const payloads: readonly (readonly [string, () => string])[] = [
  ['no exp', () => token(head, claims({ exp: undefined }))],
  ['exp as text', () => token(head, claims({ exp: String(now() + 600) }))],
  ['exp in the past', () => token(head, claims({ exp: now() - 61 }))],
  ['exp beyond all calendars', () => token(head, text(claims()).replace(/"exp":\d+/, '"exp":1e300'))],
  ['exp that is null', () => token(head, claims({ exp: null }))],
  ['exp below zero', () => token(head, claims({ exp: -1 }))],
  ['nbf in the future', () => token(head, claims({ nbf: now() + 90 }))],
  ['nbf as text', () => token(head, claims({ nbf: '0' }))],
  ['iat as text', () => token(head, claims({ iat: 'now' }))],
  ['jti that is an object', () => token(head, claims({ jti: {} }))],
  ['no aud', () => token(head, claims({ aud: undefined }))],
  ['an aud list without us', () => token(head, claims({ aud: ['other', `${audience}2`] }))],
  ['an aud that only begins with us', () => token(head, claims({ aud: `${audience}/x` }))],
  ['an aud in capitals', () => token(head, claims({ aud: audience.toUpperCase() }))],
  ['an aud that is an object', () => token(head, claims({ aud: { [audience]: true } }))],
  ['no iss', () => token(head, claims({ iss: undefined }))],
  ['an iss that only begins with ours', () => token(head, claims({ iss: `${issuer}.evil.test` }))],
  ['an iss with a slash behind it', () => token(head, claims({ iss: `${issuer}/` }))],
  ['an iss that is a list', () => token(head, claims({ iss: [issuer] }))],
  ['an iss in full-width letters', () => token(head, claims({ iss: issuer.replace('h', 'ｈ') }))],
  ['no client', () => token(head, claims({ sub: undefined }))],
  ['a client that is empty', () => token(head, claims({ client_id: '' }))],
  ['a client with an invisible letter', () => token(head, claims({ sub: 'bill\u200bing' }))],
  ['a client that writes from right to left', () => token(head, claims({ sub: '\u202egnillib' }))],
  ['a client with a line break', () => token(head, claims({ sub: 'billing\nadmin' }))],
  ['a client in another writing of the same letters', () => token(head, claims({ sub: 'cafe\u0301' }))],
  ['a client that is half a pair', () => token(head, text(claims()).replace('mallory', '\\ud800'))],
  ['a client that is an object', () => token(head, claims({ client_id: { toString: 'billing' } }))],
  ['a scope that is a list', () => token(head, claims({ scope: ['admin'] }))],
  ['cbp_scopes of a number', () => token(head, claims({ cbp_scopes: 1 }))],
  ['cbp_scopes that climb', () => token(head, claims({ cbp_scopes: ['/production/../'] }))],
  ['a claim that stands twice', () => token(head, `{"sub":"a",${text(claims()).slice(1)}`)],
  ['a scope that stands twice', () => token(head, `${text(claims()).slice(0, -1)},"scope":"config:read"}`)],
  ['a binding to a certificate that is not shown', () => token(head, claims({ cnf: { 'x5t#S256': 'A'.repeat(43) } }))],
  ['a binding that nobody here can check', () => token(head, claims({ cnf: { jkt: 'A'.repeat(43) } }))],
  ['claims nested without end', () => token(head, `{"a":${'['.repeat(500)}${']'.repeat(500)},${text(claims()).slice(1)}`)],
  ['claims that are a list', () => token(head, [claims()])],
  ['claims that are no JSON', () => token(head, 'x')],
]

const forms: readonly (readonly [string, () => string])[] = [
  ['two parts', () => 'e30.e30'],
  ['five parts, as encrypted ones have', () => 'e30.e30.e30.e30.e30'],
  ['no parts', () => 'x'],
  ['a part that is empty', () => `${part(head)}..AAAA`],
  ['padding', () => `${good()}==`],
  ['the letters of plain base64', () => `${part(head)}.${part(claims())}.++//`],
  ['a blank within', () => good().replace('.', '. ')],
  ['a comma and another token', () => `${good()}, ${good()}`],
  ['a payload exchanged behind the signature', () => `${part(head)}.${part(claims({ sub: 'admin' }))}.${good().split('.')[2] ?? ''}`],
  ['more than 8 KiB', () => token(head, claims({ padding: 'x'.repeat(9000) }))],
]

describe('a hostile token', () => {
  let opened: TestApp
  const server = createServer((_incoming, outgoing) => void publishedKeys().then((body) => outgoing.end(body)))

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
    opened = await openApp({ verifyToken: tokenVerifier({ issuer, audience, keys: { kind: 'jwks', url }, secret: null }) })
  })
  afterAll(() => void server.close())

  const ask = (text: string): Promise<Response> => opened.call('GET', '/config', { headers: { authorization: `Bearer ${text}` } })

  it.each<[string, () => string]>([
    ['EdDSA', good],
    ['RS256', () => token({ alg: 'RS256', kid: 'rsa' }, claims(), byRsa(rsa.privateKey))],
    ['ES256', () => token({ alg: 'ES256', kid: 'ec' }, claims(), byEc(ec.privateKey))],
    ['one of two keys with one kid', () => token({ alg: 'EdDSA', kid: 'twin' })],
    ['an aud list with us', () => token(head, claims({ aud: ['other', audience] }))],
    ['at+jwt', () => token({ ...head, typ: 'application/at+JWT' })],
  ])('is told from a good one: %s', async (_name, make) => expect((await ask(make())).status).toBe(200))

  it.each([...headers, ...payloads, ...forms])('is refused, and not repeated: %s', async (_name, make) => {
    const given = make()
    const answer = await ask(given)
    const told = `${await answer.text()} ${[...answer.headers.values()].join(' ')}`
    expect([answer.status, told]).toEqual([401, expect.stringMatching(/error="invalid_token"|bearer/i)])
    for (const piece of given.split('.').filter((each) => each.length > 8)) expect(told).not.toContain(piece)
    expect(told).not.toMatch(/mallory|evil|UNION|dev\/null/)
  })
})

async function publishedKeys(): Promise<string> {
  const jwk = async (key: KeyObject, more: Members): Promise<JWK> => ({ ...(await exportJWK(key)), ...more })
  const keys = await Promise.all([
    jwk(ed.publicKey, { kid: 'ed', alg: 'EdDSA', use: 'sig' }),
    jwk(rsa.publicKey, { kid: 'rsa', alg: 'RS256' }),
    jwk(ec.publicKey, { kid: 'ec' }),
    jwk(secp.publicKey, { kid: 'ec' }),
    jwk(weakRsa.publicKey, { kid: 'weak', alg: 'RS256' }),
    jwk(rsa.publicKey, { kid: 'enc', use: 'enc' }),
    jwk(ed.publicKey, { kid: 'ops', key_ops: ['sign'] }),
    jwk(rsa.publicKey, { kid: 'bound', alg: 'RS512' }),
    jwk(ed.privateKey, { kid: 'lost' }),
    jwk(twin.publicKey, { kid: 'twin' }),
    jwk(ed.publicKey, { kid: 'twin' }),
  ])
  return JSON.stringify({ keys: [...keys, { kty: 'oct', kid: 'oct', k: part('published') }, null, 'key'] })
}
