import { fakeUserDirectory } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import { openApp, openServer, problemOf, type TestApp, token } from '../../tests/support.ts'

const path = '/users/verify'

async function openWith(directory = fakeUserDirectory({ userId: 'user-1', status: 'active' })): Promise<TestApp> {
  return openApp({ ports: { userDirectory: directory } })
}

async function ask({ call }: TestApp, claims: Readonly<Record<string, unknown>>): Promise<Response> {
  return call('GET', path, { headers: { authorization: `Bearer ${await token(claims)}` } })
}

describe('GET /users/verify', () => {
  it('tells who the bearer is and what it may do', async () => {
    const exp = Math.floor(Date.now() / 1000) + 600
    const answer = await ask(await openWith(), { sub: 'user-1', client_id: 'app', scope: 'payments:write openid config:read', exp })
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { active: true, userId: 'user-1', permissions: ['config:read', 'payments:write'], expiresAt: new Date(exp * 1000).toISOString() },
    ])
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it.each(['suspended', 'closed'] as const)('says no more than that a %s user is not active', async (status) => {
    const app = await openWith(fakeUserDirectory({ userId: 'user-1', status }))
    const answer = await ask(app, { sub: 'user-1', scope: 'admin' })
    expect([answer.status, await answer.json()]).toEqual([200, { active: false }])
  })

  it('says the same of a user whom nobody knows', async () => {
    expect(await (await ask(await openWith(), { sub: 'stranger' })).json()).toEqual({ active: false })
  })

  it.each([{ exp: 1 }, { aud: 'others' }, { iss: 'https://others.test' }, { sub: undefined }])(
    'says the same of a credential that is refused: %j',
    async (claims) => {
      const answer = await ask(await openWith(), { sub: 'user-1', ...claims })
      expect([answer.status, await answer.json()]).toEqual([200, { active: false }])
      expect(answer.headers.get('cache-control')).toBe('no-store')
    },
  )

  it.each(['client_id', 'azp'])('needs no user for a client that acts for itself (sub is its %s)', async (name) => {
    const directory = fakeUserDirectory()
    directory.goAway()
    const answer = await ask(await openWith(directory), { sub: 'batch', [name]: 'batch', scope: 'config:read' })
    expect(await answer.json()).toMatchObject({ active: true, userId: null, permissions: ['config:read'] })
  })

  it.each([undefined, 'Basic dXNlcjpwYXNz', 'Bearer'])('asks for a credential where there is none: %s', async (authorization) => {
    const answer = await (await openWith()).call('GET', path, { headers: { authorization } })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
  })

  it('is unavailable while the User Service is, and says when to ask again', async () => {
    const directory = fakeUserDirectory()
    directory.goAway()
    const answer = await ask(await openWith(directory), { sub: 'user-1' })
    expect([answer.status, await problemOf(answer)]).toMatchObject([503, { code: 'user-directory-unavailable' }])
    expect(answer.headers.get('retry-after')).toBe('2')
  })

  it('takes an API key, which acts for no user', async () => {
    const app = await openWith()
    const made = await app.call('POST', '/api-keys', { body: { name: 'batch', permissions: ['config:read'] } })
    const { key } = (await made.json()) as { key: string }
    const answer = await app.call('GET', path, { headers: { authorization: undefined, 'x-api-key': key } })
    expect([answer.status, await answer.json()]).toMatchObject([200, { active: true, userId: null, permissions: ['config:read'] }])
  })
})

it('answers over a connection, past the app', async () => {
  const { url } = await openServer({ ports: { userDirectory: fakeUserDirectory({ userId: 'user-1', status: 'active' }) } })
  const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${await token({ sub: 'user-1' })}` } })
  expect([answer.status, await answer.json()]).toMatchObject([200, { active: true, userId: 'user-1' }])
})
