import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { put, token } from '../support.ts'
import { pathOf, type Route, routes } from './route-table.ts'
import { openStandingServer, type StandingServer } from './standing-server.ts'

const own = '/production/first-cu'
const marker = 'only-for-others'

/** Where somebody confined to `own` may go, and where not. */
const allowed = [own, `${own}/till`, `${own}/till/seven`]
const refused = [
  '/',
  '/production',
  '/production/second-cu',
  '/production/first-cu2',
  '/production/first-c',
  '/staging/first-cu',
  '/production-first-cu',
]
/** Ways of writing a scope that somebody might take for one under `own`. */
const disguised = [
  `${own}/../second-cu`,
  `${own}/.`,
  `${own}/`,
  `/${own}`,
  `${own}//till`,
  own.toUpperCase(),
  `${own}%00`,
  `${own}\u0000/production/second-cu`,
  `${own},/production/second-cu`,
  `${own} /production/second-cu`,
  own.slice(1),
  '',
  '*',
  `${own}/%2e%2e/second-cu`,
  '/production/first‐cu',
  '/production/ﬁrst-cu',
]

const scoped = routes.filter(({ rule }) => rule.scoped !== undefined)
const byQuery = scoped.filter(({ rule }) => rule.scoped === 'query')

let server: StandingServer
let credentials: readonly (readonly [name: string, text: string])[]

type Sent = Readonly<{ status: number; code: unknown; text: string }>

async function send(route: Route, credential: string, scope: string | null, more = ''): Promise<Sent> {
  const leaving = new AbortController()
  const always = route.rule.query ?? ''
  const query = scope === null ? `${always}${more}` : `${always}&scope=${encodeURIComponent(scope)}${more}`
  const response = await fetch(`${server.url}${pathOf(route)}?${query}`, {
    method: route.method,
    signal: leaving.signal,
    headers: {
      authorization: `Bearer ${credential}`,
      // A version that nobody has: whoever is let through is refused by that.
      ...(route.method === 'GET' ? {} : { 'if-match': '"999-none"', 'content-type': 'application/json' }),
    },
    ...(route.rule.body === undefined ? {} : { body: JSON.stringify(route.rule.body) }),
  })
  const type = response.headers.get('content-type')
  const text = type === 'text/event-stream' ? '' : await response.text()
  if (type === 'text/event-stream') leaving.abort()
  return { status: response.status, code: type === 'application/problem+json' ? (JSON.parse(text) as { code: unknown }).code : null, text }
}

beforeAll(async () => {
  server = await openStandingServer()
  for (const scope of ['/production/second-cu', '/production/first-cu2', '/staging/first-cu']) {
    await put(server.call, `/config/payments/limit?scope=${scope}`, { marker })
    await put(server.call, `/config/${marker}/limit?scope=${scope}`, 1)
    await put(server.call, `/config/payments/${marker}?scope=${scope}`, 1)
  }
  for (const scope of ['/', own]) await put(server.call, `/config/payments/limit?scope=${scope}`, 'shown')
  const permissions = ['config:read', 'config:write']
  const made = await server.call('POST', '/api-keys', { body: { name: 'confined', permissions, configScopes: [own] } })
  credentials = [
    ['a token', await token({ scope: permissions.join(' '), cbp_scopes: [own] })],
    ['a token of an admin', await token({ scope: 'admin', cbp_scopes: own })],
    ['an API key', ((await made.json()) as { key: string }).key],
  ]
})

afterAll(() => server.close())

describe.each(byQuery)('$name, confined to a scope', (route) => {
  const takesNone = route.template === '/config/changes' || route.template === '/config/watch'

  it('goes to it and below', async () => {
    for (const [name, credential] of credentials) {
      for (const scope of allowed) {
        const sent = await send(route, credential, scope)
        expect([name, scope, sent.status, sent.code]).not.toEqual([name, scope, 403, sent.code])
        expect(sent.status).not.toBe(401)
      }
    }
  })

  it('goes neither above, nor beside, nor to what only begins alike', async () => {
    for (const [name, credential] of credentials) {
      for (const scope of takesNone ? refused : [null, ...refused]) {
        const sent = await send(route, credential, scope)
        expect([name, scope, sent.status, sent.code]).toEqual([name, scope, 403, 'scope-not-permitted'])
      }
    }
  })

  it('is not led astray by another way of writing a scope', async () => {
    for (const [, credential] of credentials) {
      for (const scope of disguised) {
        const { status, code } = await send(route, credential, scope)
        expect([scope, status, code]).toEqual([scope, 400, 'invalid-parameter'])
      }
      const twice = await send(route, credential, own, '&scope=/production/second-cu')
      expect([twice.status, twice.code]).toEqual([400, 'invalid-parameter'])
    }
  })
})

describe.each(scoped.filter(({ method }) => method === 'GET'))('$name, confined to a scope', (route) => {
  it('shows nothing of what is set beside it', async () => {
    for (const [, credential] of credentials) {
      for (const scope of [null, ...allowed, ...refused]) {
        for (const more of ['', '&since=0', '&limit=1', '&raw=true', '&asOf=9']) {
          expect((await send(route, credential, scope, more)).text).not.toContain(marker)
        }
      }
    }
  })
})

describe('a token that is confined to nothing', () => {
  it.each(byQuery)('goes nowhere: $name', async (route) => {
    const credential = await token({ scope: 'admin', cbp_scopes: [] })
    for (const scope of ['/', own]) expect((await send(route, credential, scope)).code).toBe('scope-not-permitted')
  })

  it('is told of a claim of another form, which never widens', async () => {
    for (const claim of [1, {}, [1], ['/Production'], [null], ['/', '..'], { 0: '/' }]) {
      const credential = await token({ scope: 'admin', cbp_scopes: claim })
      expect([claim, (await send(byQuery[0] as Route, credential, own)).status]).toEqual([claim, 401])
    }
  })
})

describe('an API key of a confined maker', () => {
  it('is no wider than its maker', async () => {
    const authorization = `Bearer ${await token({ scope: 'keys:write config:read', cbp_scopes: [own] })}`
    const make = (configScopes: readonly string[] | null, permissions = ['config:read']): Promise<Response> =>
      server.call('POST', '/api-keys', { headers: { authorization }, body: { name: 'wider', permissions, configScopes } })
    for (const scope of refused) expect([scope, (await make([scope])).status]).toEqual([scope, 403])
    expect((await make(null)).status).toBe(403)
    expect((await make([own, '/production'])).status).toBe(403)
    expect((await make([`${own}/till`])).status).toBe(201)
    for (const permission of ['admin', 'config:write', 'clients:all']) expect((await make([own], [permission])).status).toBe(403)
  })
})
