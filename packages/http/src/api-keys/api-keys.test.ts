import { compactDecrypt, exportJWK, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { type CallInit, openApp, problemOf, type TestApp, token } from '../../tests/support.ts'
import { joseRecipientSeal } from '../assembly/keys/recipient-seal.ts'

type Body = Record<string, unknown> & Readonly<{ id: string; key: string; jwe: string }>
type Page = Readonly<{ items: readonly Body[]; nextCursor: string | null }>

const path = '/api-keys'
const wanted = { name: 'till 7', permissions: ['payments:read'] }
const keyForm = /^cbp_development_[0-9a-f]{32}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/

async function bodyOf<T = Body>(response: Response): Promise<T> {
  return (await response.json()) as T
}

async function made({ call }: TestApp, body: unknown = wanted, headers: CallInit['headers'] = {}): Promise<Body> {
  const response = await call('POST', path, { body, headers })
  expect(response.status).toBe(201)
  return bodyOf(response)
}

async function holder(client: string, scope: string, more: Record<string, unknown> = {}): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await token({ client_id: client, scope, ...more })}` }
}

describe('an API key', () => {
  it('is answered with its text, once', async () => {
    const { call } = await openApp()
    const body = { ...wanted, configScopes: ['/production'], allowedFrom: ['192.0.2.7/24', '2001:DB8::1'], lifetimeDays: 30 }
    const response = await call('POST', path, { body })
    const { key, ...shown } = await bodyOf(response)
    expect(key).toMatch(keyForm)
    expect(shown).toMatchObject({
      client: `api-key|${shown.id}`,
      name: 'till 7',
      status: 'active',
      permissions: ['payments:read'],
      configScopes: ['/production'],
      allowedFrom: ['192.0.2.0/24', '2001:db8::1/128'],
      secrets: [{ expiresAt: shown['expiresAt'] }],
      revokedAt: null,
      version: 1,
    })
    expect([response.headers.get('location'), response.headers.get('cache-control')]).toEqual([`${path}/${shown.id}`, 'private, no-store'])
    for (const at of [path, `${path}/${shown.id}`]) {
      const text = await (await call('GET', at)).text()
      expect(text).toContain(shown.id)
      for (const hidden of [key, key.split('_')[3] ?? '', '"mac"', '"pepper"', '"key"']) expect(text).not.toContain(hidden)
    }
  })

  it('is sealed to a recipient, and then seen by nobody else', async () => {
    const { call } = await openApp({ ports: { recipientSeal: joseRecipientSeal } })
    const { publicKey, privateKey } = await generateKeyPair('ECDH-ES+A256KW', { crv: 'X25519', extractable: true })
    const recipient = await exportJWK(publicKey)
    const { key, jwe, id } = await bodyOf(await call('POST', path, { body: { ...wanted, recipient } }))
    expect(key).toBeUndefined()
    expect(new TextDecoder().decode((await compactDecrypt(jwe, privateKey)).plaintext)).toMatch(keyForm)
    const again = await bodyOf(await call('POST', `${path}/${id}/rotate`, { body: { recipient } }))
    expect(new TextDecoder().decode((await compactDecrypt(again.jwe, privateKey)).plaintext)).toContain(id.replaceAll('-', ''))
    const privateJwk = await exportJWK(privateKey)
    const refused = await problemOf(await call('POST', path, { body: { ...wanted, recipient: privateJwk } }))
    expect(refused).toMatchObject({ status: 422, code: 'unusable-recipient', errors: [{ pointer: '#/recipient' }] })
    expect(JSON.stringify(refused)).not.toContain(privateJwk.d)
  })

  it('gets another secret beside the one before', async () => {
    const opened = await openApp()
    const { id, key } = await made(opened)
    const response = await opened.call('POST', `${path}/${id}/rotate`)
    const rotated = await bodyOf(response)
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'private, no-store'])
    expect(rotated.key).toMatch(keyForm)
    expect(rotated.key).not.toBe(key)
    expect(rotated).toMatchObject({ id, version: 2, secrets: [{}, {}] })
    for (let more = 0; more < 3; more += 1) await opened.call('POST', `${path}/${id}/rotate`, { body: {} })
    const refused = await opened.call('POST', `${path}/${id}/rotate`)
    expect(await problemOf(refused)).toMatchObject({ status: 409, code: 'too-many-secrets', limit: 5 })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(600_000)
  })

  it('is revoked for good', async () => {
    const opened = await openApp()
    const { id } = await made(opened)
    const ended = await opened.call('DELETE', `${path}/${id}?reason=leaked`)
    expect([ended.status, await bodyOf(ended)]).toMatchObject([200, { id, status: 'revoked', revokedAt: expect.any(String) }])
    expect((await opened.call('DELETE', `${path}/${id}`)).status).toBe(200)
    expect(await problemOf(await opened.call('POST', `${path}/${id}/rotate`))).toMatchObject({ status: 409, code: 'api-key-revoked' })
    expect(await bodyOf(await opened.call('GET', `${path}/${id}`))).toMatchObject({ status: 'revoked', lastUsedAt: null })
  })

  it('belongs to the client that made it', async () => {
    const opened = await openApp()
    const me = await holder('me', 'keys:read keys:write payments:read')
    const you = await holder('you', 'keys:read keys:write payments:read')
    const { id } = await made(opened, wanted, me)
    for (const [method, at] of [
      ['GET', ''],
      ['POST', '/rotate'],
      ['DELETE', ''],
    ] as const) {
      const refused = await opened.call(method, `${path}/${id}${at}`, { headers: you })
      expect(await problemOf(refused)).toMatchObject({ status: 404, code: 'api-key-not-found' })
    }
    expect((await bodyOf<Page>(await opened.call('GET', path, { headers: you }))).items).toEqual([])
    expect((await bodyOf<Page>(await opened.call('GET', path, { headers: me }))).items).toHaveLength(1)
    expect((await bodyOf<Page>(await opened.call('GET', path))).items).toHaveLength(1)
  })

  it('is allowed no more than who makes it', async () => {
    const opened = await openApp()
    const confined = await holder('me', 'keys:write payments:read', { cbp_scopes: ['/production'] })
    const post = async (body: unknown, headers: Record<string, string>) => problemOf(await opened.call('POST', path, { body, headers }))
    expect(await post({ name: 'x', permissions: ['admin', 'payments:read'], configScopes: ['/staging'] }, confined)).toMatchObject({
      status: 403,
      code: 'beyond-grant',
      permissions: ['admin'],
      configScopes: ['/staging'],
    })
    expect(await post(wanted, confined)).toMatchObject({ code: 'beyond-grant', configScopes: ['/'] })
    expect(await post(wanted, await holder('me', 'keys:read payments:read'))).toMatchObject({
      status: 403,
      code: 'insufficient-permission',
    })
    expect(await made(opened, { ...wanted, configScopes: ['/production/first-cu'] }, confined)).toMatchObject({ status: 'active' })
  })

  it('is listed page by page', async () => {
    const opened = await openApp()
    const ids: string[] = []
    for (let count = 0; count < 3; count += 1) ids.unshift((await made(opened)).id)
    const first = await bodyOf<Page>(await opened.call('GET', `${path}?limit=2`))
    const second = await bodyOf<Page>(await opened.call('GET', `${path}?limit=2&cursor=${first.nextCursor}`))
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids)
    expect(second.nextCursor).toBeNull()
    expect((await opened.call('GET', `${path}?cursor=${Buffer.from('subscription:x').toString('base64url')}`)).status).toBe(400)
  })

  it.each([
    [{ name: 'x' }, '#/permissions'],
    [{ ...wanted, name: '' }, '#/name'],
    [{ ...wanted, name: ' \n' }, '#/name'],
    [{ ...wanted, permissions: [] }, '#/permissions'],
    [{ ...wanted, permissions: ['root'] }, '#/permissions/0'],
    [{ ...wanted, configScopes: ['production'] }, '#/configScopes/0'],
    [{ ...wanted, allowedFrom: ['010.0.0.1'] }, '#/allowedFrom/0'],
    [{ ...wanted, allowedFrom: ['10.0.0.0/33'] }, '#/allowedFrom/0'],
    [{ ...wanted, allowedFrom: ['::/129'] }, '#/allowedFrom/0'],
    [{ ...wanted, lifetimeDays: 0 }, '#/lifetimeDays'],
    [{ ...wanted, recipient: 'key' }, '#/recipient'],
    [{ ...wanted, secret: 'mine' }, '#/secret'],
  ])('is not made of %j', async (body, pointer) => {
    const { call } = await openApp()
    const refused = await problemOf(await call('POST', path, { body }))
    expect(refused).toMatchObject({ status: 422, code: 'invalid-body', errors: [{ pointer }] })
  })

  it('is rotated without a body, or with one that says to whom', async () => {
    const opened = await openApp()
    const { id } = await made(opened)
    const rotate = (init: CallInit) => opened.call('POST', `${path}/${id}/rotate`, init)
    expect((await rotate({ headers: { 'content-length': '0', 'content-type': 'application/json' } })).status).toBe(200)
    expect(await problemOf(await rotate({ body: { recipients: 1 } }))).toMatchObject({ status: 422 })
    expect(await problemOf(await rotate({ raw: '{', headers: { 'content-type': 'application/json' } }))).toMatchObject({ status: 400 })
    expect((await bodyOf(await rotate({ body: { recipient: { kty: 'EC', kid: 'desk' } } }))).jwe).toContain('sealed for desk')
  })

  it('L18: opens what it allows until it is revoked, with the old secret beside the new', async () => {
    const opened = await openApp()
    const { id, key } = await made(opened)
    const statusWith = async (text: string, path: string) =>
      (await opened.call('GET', path, { headers: { authorization: `Bearer ${text}` } })).status
    const { key: second } = await bodyOf(await opened.call('POST', `${path}/${id}/rotate`))
    expect([await statusWith(key, '/payments'), await statusWith(second, '/payments'), await statusWith(key, '/config')]).toEqual([
      200, 200, 403,
    ])
    await opened.call('DELETE', `${path}/${id}`)
    expect([await statusWith(key, '/payments'), await statusWith(second, '/payments')]).toEqual([401, 401])
  })
})
