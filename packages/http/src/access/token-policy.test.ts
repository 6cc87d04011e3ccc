import { describe, expect, it } from 'vitest'
import { audience, issuer, key, openApp, problemOf, token } from '../../tests/support.ts'
import { plainPolicy, type TokenPolicy, tokenPolicy } from './token-policy.ts'
import { type TokenRules, tokenVerifier, type VerifyToken } from './verify-token.ts'

const rules: TokenRules = { issuer, audience, keys: { kind: 'local', key }, secret: null }
const seconds = (): number => Math.floor(Date.now() / 1000)

function underPolicy(policy: TokenPolicy): VerifyToken {
  return tokenVerifier(rules, { policy: () => policy })
}

describe('roles', () => {
  const roles = { claim: 'realm_access.roles', permissions: { operator: ['events:read', 'events:write'], 'clerk ': ['admin'] } }

  it.each<[string, Record<string, unknown>, readonly string[]]>([
    ['a list within another claim', { realm_access: { roles: ['operator', 'unknown', 7] } }, ['events:read', 'events:write']],
    ['a text', { realm_access: { roles: 'other operator' } }, ['events:read', 'events:write']],
    ['a claim of the whole name', { 'realm_access.roles': ['operator'] }, ['events:read', 'events:write']],
    ['members of every object', { realm_access: { roles: ['constructor', '__proto__', 'toString'] } }, []],
    ['an object', { realm_access: { roles: { operator: true } } }, []],
    ['nothing', {}, []],
  ])('grant what they are mapped to: %s', async (_name, claims, granted) => {
    const verified = await underPolicy(tokenPolicy(roles, []))(await token({ scope: 'config:read', ...claims }))
    expect('permissions' in verified ? [...verified.permissions] : verified).toEqual(['config:read', ...granted])
  })

  it('count anew as soon as they change, also for a token verified before', async () => {
    let policy = plainPolicy
    const verify = tokenVerifier(rules, { policy: () => policy })
    const given = await token({ scope: '', roles: ['operator'] })
    expect(await verify(given)).toMatchObject({ permissions: new Set() })
    policy = tokenPolicy({ claim: 'roles', permissions: { operator: ['events:read'] } }, [])
    expect(await verify(given)).toMatchObject({ permissions: new Set(['events:read']) })
  })
})

describe('revocations', () => {
  const client = `${issuer}|tester`
  const at = (ms: number): string => new Date(ms).toISOString()

  it.each<[string, Parameters<typeof tokenPolicy>[1], Record<string, unknown>, boolean]>([
    ['of its id', [{ jti: 'a' }], { jti: 'a' }, true],
    ['of another id', [{ jti: 'a' }], { jti: 'b' }, false],
    ['of its client, issued before', [{ client, issuedBefore: at(Date.now()) }], { iat: seconds() - 60 }, true],
    ['of its client, issued after', [{ client, issuedBefore: at(Date.now() - 120_000) }], { iat: seconds() - 60 }, false],
    ['of its client, not telling when it was issued', [{ client, issuedBefore: at(0) }], {}, true],
    ['of another client', [{ client: `${issuer}|other`, issuedBefore: at(Date.now()) }], { iat: seconds() - 60 }, false],
    [
      'of its client twice, of which the later counts',
      [
        { client, issuedBefore: at(Date.now()) },
        { client, issuedBefore: at(0) },
      ],
      { iat: seconds() - 60 },
      true,
    ],
  ])('%s', async (_name, revocations, claims, isRevoked) => {
    const policy = tokenPolicy(plainPolicy.roles, revocations)
    expect('kind' in (await underPolicy(policy)(await token(claims)))).toBe(isRevoked)
  })

  it('end what was verified before', async () => {
    let policy = plainPolicy
    const verify = tokenVerifier(rules, { policy: () => policy })
    const given = await token({ jti: 'stolen' })
    expect(await verify(given)).toHaveProperty('client')
    policy = tokenPolicy(plainPolicy.roles, [{ jti: 'stolen' }])
    expect(await verify(given)).toMatchObject({ kind: 'token-refused', reason: 'it has been revoked' })
  })
})

describe('a token bound to a client certificate', () => {
  const thumbprint = 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2'

  it('counts with that certificate only, however often it was seen with it', async () => {
    const verify = tokenVerifier(rules)
    const given = await token({ cnf: { 'x5t#S256': thumbprint } })
    expect(await verify(given, () => thumbprint)).toHaveProperty('client')
    for (const shown of [null, 'other', '']) expect(await verify(given, () => shown)).toMatchObject({ kind: 'token-refused' })
    expect(await verify(given, () => thumbprint)).toHaveProperty('client')
  })
})

describe('several credentials', () => {
  it.each<[string, Record<string, string | undefined>]>([
    ['a token and a key', { 'x-api-key': 'cbp_dev_a_b_c' }],
    ['a key in both fields', { authorization: 'Bearer cbp_dev_a_b_c', 'x-api-key': 'cbp_dev_a_b_c' }],
  ])('are refused: %s', async (_name, headers) => {
    const { call } = await openApp()
    const answer = await call('GET', '/config', { headers })
    expect([answer.status, await problemOf(answer)]).toEqual([400, expect.objectContaining({ code: 'invalid-header' })])
  })
})
