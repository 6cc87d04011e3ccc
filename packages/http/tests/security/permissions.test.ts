import { type Permission, permissions } from '@cbp/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { token } from '../support.ts'
import { pathOf, type Route, routes } from './route-table.ts'
import { openStandingServer, type StandingServer } from './standing-server.ts'

type Sent = Readonly<{ status: number; code: unknown; challenge: string | null }>

const invalidOnes = {
  'an expired token': () => token({ scope: 'admin', exp: Math.floor(Date.now() / 1000) - 120 }),
  'a token of another issuer': () => token({ scope: 'admin', iss: 'https://elsewhere.test' }),
  'a token for another audience': () => token({ scope: 'admin', aud: 'another-api' }),
  'a token that is cut': async () => (await token({ scope: 'admin' })).slice(0, -3),
  'an API key that nobody made': async () => 'cbp_test_01890a5dac96774bbcceb302099a8057_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_000000',
  nonsense: async () => 'x',
}

/** Words of a scope that look like permissions. */
const lookalikes = [
  'ADMIN',
  'Admin',
  'admins',
  'admin:*',
  '*',
  'config:*',
  'payments',
  'payments:read,payments:write',
  '__proto__',
  'constructor',
]

const guarded = routes.filter(({ rule: { access } }) => access !== null && access !== 'any-bearer')
const forAll = routes.filter(({ rule: { access, confinement } }) => access === null && confinement === 'open')

let server: StandingServer
const keys = new Map<Permission, string>()

async function send({ method, rule, ...route }: Route, credential: string | null): Promise<Sent> {
  const leaving = new AbortController()
  const response = await fetch(`${server.url}${pathOf({ method, rule, ...route })}`, {
    method,
    signal: leaving.signal,
    headers: {
      ...(credential === null ? {} : { authorization: `Bearer ${credential}` }),
      ...(rule.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(rule.body === undefined ? {} : { body: JSON.stringify(rule.body) }),
  })
  const isStream = response.headers.get('content-type') === 'text/event-stream'
  const text = isStream ? '' : await response.text()
  if (isStream) leaving.abort()
  const isProblem = response.headers.get('content-type') === 'application/problem+json'
  const code = isProblem ? (JSON.parse(text) as { code: unknown }).code : null
  return { status: response.status, code, challenge: response.headers.get('www-authenticate') }
}

beforeAll(async () => {
  server = await openStandingServer()
  for (const permission of permissions) {
    const made = await server.call('POST', '/api-keys', { body: { name: permission, permissions: [permission] } })
    expect(made.status).toBe(201)
    keys.set(permission, ((await made.json()) as { key: string }).key)
  }
})

afterAll(() => server.close())

/** The guard let it in: what came then is the business of the route. */
const admitted = (sent: Sent): boolean => sent.status !== 401 && sent.code !== 'insufficient-permission'

describe.each(guarded)('$name', (route) => {
  const { access } = route.rule

  it('takes its own permission and admin, and refuses every other with 403', async () => {
    const outcomes = await Promise.all(
      permissions.map(async (permission) => [permission, await send(route, await token({ scope: permission }))] as const),
    )
    expect(outcomes.filter(([, sent]) => admitted(sent)).map(([permission]) => permission)).toEqual(
      permissions.filter((permission) => permission === access || permission === 'admin'),
    )
    for (const [, sent] of outcomes.filter(([, each]) => !admitted(each))) {
      expect(sent).toEqual({
        status: 403,
        code: 'insufficient-permission',
        challenge: `Bearer realm="cbp-config-api", error="insufficient_scope", scope="${access}"`,
      })
    }
  })

  it('takes all other permissions together for nothing', async () => {
    const others = permissions.filter((permission) => permission !== access && permission !== 'admin')
    expect((await send(route, await token({ scope: others.join(' ') }))).code).toBe('insufficient-permission')
  })

  it('takes API keys by the same rule', async () => {
    const outcomes = await Promise.all([...keys].map(async ([permission, key]) => [permission, await send(route, key)] as const))
    expect(outcomes.filter(([, sent]) => admitted(sent)).map(([permission]) => permission)).toEqual(
      permissions.filter((permission) => permission === access || permission === 'admin'),
    )
  })

  it('asks for a credential where there is none or a bad one', async () => {
    const without = await send(route, null)
    expect(without).toEqual({ status: 401, code: 'unauthenticated', challenge: 'Bearer realm="cbp-config-api"' })
    for (const make of Object.values(invalidOnes)) {
      const sent = await send(route, await make())
      expect([sent.status, sent.challenge]).toEqual([401, expect.stringContaining('error="invalid_token"')])
    }
  })

  it('reads no permission into words that look like one', async () => {
    for (const scope of [...lookalikes, lookalikes.join(' ')]) {
      expect((await send(route, await token({ scope }))).code).toBe('insufficient-permission')
    }
  })
})

describe.each(forAll)('$name', (route) => {
  it('is open to everybody, whatever credential they bring', async () => {
    const sent = await Promise.all([null, 'x', await token({ scope: '' })].map((credential) => send(route, credential)))
    expect(sent.map(({ status }) => status)).toEqual([200, 200, 200])
  })
})

describe('POST /webhooks/payment-status', () => {
  it('takes no bearer, not even of an admin, in place of a signature', async () => {
    const route = routes.find(({ rule: { confinement } }) => confinement === 'signature') as Route
    for (const credential of [null, await token({ scope: 'admin' }), keys.get('admin') ?? '']) {
      expect(await send(route, credential)).toMatchObject({ status: 401, code: 'signature-invalid' })
    }
  })
})

describe('GET /users/verify', () => {
  it('asks for a bearer, and tells of a bad one only that it is bad', async () => {
    const route = routes.find(({ rule: { access } }) => access === 'any-bearer') as Route
    expect((await send(route, null)).status).toBe(401)
    for (const make of Object.values(invalidOnes)) {
      const response = await fetch(`${server.url}/users/verify`, { headers: { authorization: `Bearer ${await make()}` } })
      expect([response.status, await response.text()]).toEqual([200, '{"active":false}'])
    }
  })
})
