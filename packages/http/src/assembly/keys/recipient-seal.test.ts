import { type JsonObject, secretValue } from '@cbp/core'
import { compactDecrypt, exportJWK, type GenerateKeyPairOptions, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { joseRecipientSeal } from './recipient-seal.ts'

const secret = secretValue('cbp_development_0190_secret_check')

async function pairOf(algorithm: string, options: GenerateKeyPairOptions = {}) {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true, ...options })
  return { publicJwk: (await exportJWK(publicKey)) as JsonObject, privateJwk: (await exportJWK(privateKey)) as JsonObject, privateKey }
}

const elliptic = await pairOf('ECDH-ES+A256KW', { crv: 'P-256' })
const rsa = await pairOf('RSA-OAEP-256')

async function refusalOf(recipient: JsonObject): Promise<string> {
  const refused = (await joseRecipientSeal.seal(recipient, secret))._unsafeUnwrapErr()
  expect(refused.kind).toBe('unusable-recipient')
  return refused.reason
}

describe('sealing to a recipient', () => {
  it.each([
    ['ECDH-ES+A256KW', { crv: 'P-256' }],
    ['ECDH-ES+A256KW', { crv: 'P-384' }],
    ['ECDH-ES+A256KW', { crv: 'P-521' }],
    ['ECDH-ES+A256KW', { crv: 'X25519' }],
    ['RSA-OAEP-256', { modulusLength: 2048 }],
    ['RSA-OAEP-256', { modulusLength: 3072 }],
  ])(
    'is opened by the private key alone: %s %o',
    async (algorithm, options) => {
      const { publicJwk, privateKey } = await pairOf(algorithm, options)
      const sealed = (await joseRecipientSeal.seal({ ...publicJwk, kid: 'desk-7', use: 'enc', alg: algorithm }, secret))._unsafeUnwrap()
      expect(sealed).not.toContain('cbp_')
      const { plaintext, protectedHeader } = await compactDecrypt(sealed, privateKey)
      expect(new TextDecoder().decode(plaintext)).toBe(secret.reveal())
      expect(protectedHeader).toMatchObject({ alg: algorithm, enc: 'A256GCM', kid: 'desk-7' })
      const { privateKey: stranger } = await pairOf(algorithm, options)
      await expect(compactDecrypt(sealed, stranger)).rejects.toThrow()
    },
    30_000,
  )

  it('names no key where none is named, and seals differently each time', async () => {
    const { kid: _none, ...unnamed } = elliptic.publicJwk
    const [first = '', again] = await Promise.all([1, 2].map(async () => (await joseRecipientSeal.seal(unnamed, secret))._unsafeUnwrap()))
    expect(first).not.toBe(again)
    expect(JSON.parse(Buffer.from(first.split('.')[0] ?? '', 'base64url').toString())).not.toHaveProperty('kid')
  })

  it('refuses keys that should have stayed at home', async () => {
    for (const pair of [elliptic, rsa]) expect(await refusalOf(pair.privateJwk)).toContain('private')
    expect(await refusalOf({ kty: 'oct', k: 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U' })).toContain('symmetric')
    expect(await refusalOf({ kty: 'oct' })).toContain('symmetric')
  })

  it.each([[], [0], [1], [3], [0, 1], [1, 0, 0], [1, 0, 2], [255, 255, 255, 255, 255, 254]])(
    'refuses an RSA key whose exponent hides little or nothing: %j',
    async (...bytes) => {
      expect(await refusalOf({ ...rsa.publicJwk, e: Buffer.from(bytes).toString('base64url') })).toContain('exponent')
    },
  )

  it('refuses keys that are meant for something else', async () => {
    expect(await refusalOf({ ...elliptic.publicJwk, use: 'sig' })).toContain('use')
    expect(await refusalOf({ ...elliptic.publicJwk, alg: 'ES256' })).toContain('alg')
    expect(await refusalOf({ ...elliptic.publicJwk, alg: 'RSA-OAEP-256' })).toContain('alg')
    expect(await refusalOf({ ...rsa.publicJwk, alg: 'RSA-OAEP' })).toContain('alg')
    expect(await refusalOf({ ...elliptic.publicJwk, key_ops: ['verify'] })).toContain('key_ops')
    expect(await refusalOf({ ...rsa.publicJwk, key_ops: [] })).toContain('key_ops')
    expect(await refusalOf({ ...rsa.publicJwk, key_ops: 'wrapKey' })).toContain('key_ops')
    expect((await joseRecipientSeal.seal({ ...rsa.publicJwk, key_ops: ['wrapKey'] }, secret)).isOk()).toBe(true)
    expect((await joseRecipientSeal.seal({ ...elliptic.publicJwk, key_ops: [] }, secret)).isOk()).toBe(true)
  })

  it('refuses what is too weak, too large or no key at all', async () => {
    const weak = await pairOf('RSA-OAEP-256', { modulusLength: 2048 })
    const n = weak.publicJwk['n'] as string
    expect(await refusalOf({ ...weak.publicJwk, n: Buffer.from(n, 'base64url').subarray(0, 128).toString('base64url') })).toContain('1024')
    expect(await refusalOf({ ...weak.publicJwk, n: n.repeat(5) })).toContain('bits')
    const signing = await pairOf('EdDSA', { crv: 'Ed25519' })
    for (const other of [signing.publicJwk, {}, { kty: 'EC' }, { kty: 'EC', crv: 'secp256k1', x: 'a', y: 'b' }, { kty: ['EC'] }]) {
      expect(await refusalOf(other)).toContain('no public key')
    }
    const x = elliptic.publicJwk['x'] as string
    expect(await refusalOf({ ...elliptic.publicJwk, x: `${x.slice(0, -4)}AAAA` })).toContain('no point')
    expect(await refusalOf({ kty: 'OKP', crv: 'X25519', x: Buffer.alloc(32).toString('base64url') })).toContain('no point')
    expect(await refusalOf({ ...elliptic.publicJwk, crv: 'P-384' })).toContain('no point')
    expect(await refusalOf({ ...elliptic.publicJwk, kid: 7 })).toContain('kid')
  })

  it('tells nothing of the key', async () => {
    const d = elliptic.privateJwk['d'] as string
    const reasons = [await refusalOf(elliptic.privateJwk), await refusalOf({ ...elliptic.publicJwk, x: d, y: d })]
    for (const reason of reasons) expect(reason).not.toContain(d.slice(0, 8))
  })
})
