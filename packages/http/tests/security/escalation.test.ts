import { describe, expect, it } from 'vitest'
import { openApp, type TestApp, token } from '../support.ts'

const everybodyIsAdmin = { claim: 'sub', permissions: { mallory: ['admin'] } }

async function as(
  { call }: TestApp,
  scope: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return call(method, path, { body, headers: { authorization: `Bearer ${await token({ sub: 'mallory', scope })}`, ...headers } })
}

const allButAdmin = 'config:read config:write config:reveal clients:all keys:write keys:read'

describe('who may write every setting', () => {
  const ways = [
    ['PUT', '/config/security/token.roles', { value: everybodyIsAdmin, reason: 'x' }, { 'if-none-match': '*' }],
    ['PUT', '/config/security/token.roles?scope=/production', { value: everybodyIsAdmin, reason: 'x' }, { 'if-none-match': '*' }],
    ['PUT', '/config/security/token.revocations', { value: [], reason: 'x' }, { 'if-none-match': '*' }],
    ['DELETE', '/config/security/token.revocations', undefined, { 'if-match': '"1-a"' }],
    ['POST', '/config/security/token.roles/rollback', { toVersion: 1, reason: 'x' }, { 'if-match': '"1-a"' }],
    ['PUT', '/config/security/token%2Eroles', { value: everybodyIsAdmin, reason: 'x' }, { 'if-none-match': '*' }],
  ] as const

  it.each(ways)('does not say what tokens are worth: %s %s', async (method, path, body, headers) => {
    const opened = await openApp()
    const refused = await as(opened, allButAdmin, method, path, body, headers)
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, 'insufficient-permission'])
    expect(refused.headers.get('www-authenticate')).toContain('scope="admin"')
    expect([403, 401]).not.toContain((await as(opened, 'admin', method, path, body, headers)).status)
  })

  it('does so by no API key that they make either', async () => {
    const opened = await openApp()
    const made = await as(opened, allButAdmin, 'POST', '/api-keys', { name: 'k', permissions: ['config:write'] })
    const { key } = (await made.json()) as { key: string }
    const body = { value: everybodyIsAdmin, reason: 'x' }
    const headers = { authorization: `Bearer ${key}`, 'if-none-match': '*' }
    expect((await opened.call('PUT', '/config/security/token.roles', { body, headers })).status).toBe(403)
  })

  it('still writes the other settings of this service', async () => {
    const opened = await openApp()
    const body = { value: { limit: 500, windowSeconds: 900 }, reason: 'x' }
    expect((await as(opened, 'config:write', 'PUT', '/config/security/rate-limit.per-client', body, { 'if-none-match': '*' })).status).toBe(
      201,
    )
  })
})
