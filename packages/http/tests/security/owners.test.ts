import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { token } from '../support.ts'
import type { ObjectKind } from './route-rules.ts'
import { absentId, pathOf, routes } from './route-table.ts'
import { openStandingServer, type StandingServer } from './standing-server.ts'

const ofObjects = routes.filter(({ rule }) => rule.object !== undefined)
const lists = routes.filter(({ method, template, rule }) => method === 'GET' && rule.confinement === 'owner' && !template.includes('{'))
const makers = routes.filter(({ method, template, rule }) => method === 'POST' && rule.confinement === 'owner' && !template.includes('{'))

const allRights = 'payments:read payments:write webhooks:read webhooks:write keys:read keys:write'
/** Whatever somebody might send along who guesses. */
const conditions = [{}, { 'if-match': '*' }, { 'if-match': '"1"' }, { 'if-none-match': '*' }, { 'if-match': 'x' }] as const

type Answered = Readonly<{ status: number; text: string; headers: Headers }>

let server: StandingServer
let alice: string
let mallory: string
let operator: string
let keys = 0

async function send(
  method: string,
  path: string,
  credential: string,
  { headers = {}, body }: { headers?: object; body?: unknown } = {},
): Promise<Answered> {
  keys += 1
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${credential}`,
      'idempotency-key': `key-${keys}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

async function made(path: string, credential: string, body?: unknown): Promise<string> {
  const { status, text } = await send('POST', path, credential, { body })
  expect([201, 202]).toContain(status)
  return (JSON.parse(text) as { id: string }).id
}

const bodyOf = (template: string): unknown => makers.find((each) => each.template === template)?.rule.body

/** Something new that belongs to `credential`. */
async function make(kind: ObjectKind, credential: string): Promise<string> {
  switch (kind) {
    case 'payment':
      return made('/payments', credential, bodyOf('/payments'))
    case 'subscription':
      return made('/webhooks/subscriptions', credential, bodyOf('/webhooks/subscriptions'))
    case 'delivery':
      return made(`/webhooks/subscriptions/${await make('subscription', credential)}/test`, credential)
    case 'api-key':
      return made('/api-keys', credential, bodyOf('/api-keys'))
  }
}

const placeOf: Readonly<Record<ObjectKind, string>> = {
  payment: '/payments',
  subscription: '/webhooks/subscriptions',
  delivery: '/webhooks/deliveries',
  'api-key': '/api-keys',
}

/** What does not tell two refusals apart: the id that was asked for, and that of the request. */
function comparable({ status, text, headers }: Answered, id: string): unknown {
  const { date: _date, 'x-request-id': requestId = '', ...fields } = Object.fromEntries(headers)
  return { status, text: text.replaceAll(id, 'ID').replaceAll(requestId, 'REQUEST'), fields }
}

beforeAll(async () => {
  server = await openStandingServer()
  alice = await token({ sub: 'alice', scope: allRights })
  mallory = await token({ sub: 'mallory', scope: allRights })
  operator = await token({ sub: 'operator', scope: `${allRights} clients:all` })
})

afterAll(() => server.close())

describe.each(ofObjects)('$name', (route) => {
  const kind = route.rule.object as ObjectKind
  const { body } = route.rule

  it('answers for what belongs to another client exactly as for what there is not', async () => {
    const id = await make(kind, alice)
    const before = await send('GET', `${placeOf[kind]}/${id}`, alice)
    expect(before.status).toBe(200)
    for (const headers of conditions) {
      for (const given of [body, { status: 'COMPLETED', client: 'mallory' }]) {
        const theirs = await send(route.method, pathOf(route, id), mallory, { headers, ...(body === undefined ? {} : { body: given }) })
        const absent = await send(route.method, pathOf(route, absentId), mallory, {
          headers,
          ...(body === undefined ? {} : { body: given }),
        })
        expect(comparable(theirs, id)).toEqual(comparable(absent, absentId))
        expect(theirs.text).not.toContain('alice')
        expect([400, 404, 422, 428]).toContain(theirs.status)
      }
    }
    const proper = await send(route.method, pathOf(route, id.toUpperCase()), mallory, { headers: { 'if-match': '*' }, body })
    expect(proper.status).toBe(404)
    expect((await send('GET', `${placeOf[kind]}/${id}`, alice)).text).toBe(before.text)
  })

  it('lets its owner through, and whoever acts for all clients', async () => {
    for (const credential of [alice, operator, await token({ sub: 'root', scope: 'admin' })]) {
      const id = await make(kind, alice)
      const sent = await send(route.method, pathOf(route, id), credential, { headers: { 'if-match': '*' }, body })
      expect([401, 404]).not.toContain(sent.status)
    }
  })

  it('is not opened by another issuer that knows a client of the same name', async () => {
    const id = await make(kind, alice)
    // An API key whose maker is no other than the owner is still another client, for all but API keys themselves.
    const made = await send('POST', '/api-keys', alice, { body: { name: 'other', permissions: allRights.split(' ') } })
    const { key } = JSON.parse(made.text) as { key: string }
    expect((await send(route.method, pathOf(route, id), key, { headers: { 'if-match': '*' }, body })).status).toBe(404)
    const claims = { sub: 'alice', client_id: 'mallory', azp: 'alice', scope: allRights, act: { sub: 'alice' } }
    expect((await send(route.method, pathOf(route, id), await token(claims), { headers: { 'if-match': '*' }, body })).status).toBe(404)
  })
})

const kinds: Readonly<Record<string, ObjectKind>> = {
  '/payments': 'payment',
  '/webhooks/subscriptions': 'subscription',
  '/webhooks/deliveries': 'delivery',
  '/api-keys': 'api-key',
}

type Page = Readonly<{ items: readonly { id: string }[]; nextCursor: string | null }>
const idsOf = ({ text }: Answered): readonly string[] => (JSON.parse(text) as Page).items.map(({ id }) => id)
const encode = (text: string): string => Buffer.from(text).toString('base64url')

describe.each(lists)('$name', (route) => {
  const kind = kinds[route.template] as ObjectKind

  it('belongs to a kind of object that this suite knows', () => expect(kind).toBeDefined())

  it("shows nothing of another client's, by whatever cursor or filter", async () => {
    const theirs = [await make(kind, alice), await make(kind, alice), await make(kind, alice)]
    const mine = [await make(kind, mallory), await make(kind, mallory)]
    const first = await send('GET', `${route.template}?limit=1`, alice)
    const foreign = (JSON.parse(first.text) as Page).nextCursor ?? ''
    const name = Buffer.from(foreign, 'base64url').toString().split(':')[0] ?? ''
    const cursors = [foreign, ...theirs.map((id) => encode(`${name}:${id}`)), encode(`${name}:ffffffff-ffff-7fff-bfff-ffffffffffff`)]
    for (const cursor of cursors) {
      const page = await send('GET', `${route.template}?cursor=${cursor}`, mallory)
      expect(page.status).toBe(200)
      expect(page.text).not.toContain('alice')
      for (const id of idsOf(page)) expect(theirs).not.toContain(id)
    }
    const seen = idsOf(await send('GET', `${route.template}?limit=500`, mallory))
    expect(seen).toEqual(expect.arrayContaining(mine))
    for (const id of theirs) expect(seen).not.toContain(id)
    const all = idsOf(await send('GET', `${route.template}?limit=500`, operator))
    expect(all).toEqual(expect.arrayContaining([...theirs, ...mine]))
  })

  it('refuses cursors that it did not give out', async () => {
    const others = ['payment', 'subscription', 'delivery', 'api-key', 'payment-history', 'audit', 'component', 'version']
    const tampered = [
      ...others.filter((each) => each !== kind).map((each) => encode(`${each}:${absentId}`)),
      encode(`${kind}:`),
      encode(`${kind}:1`),
      encode(`${kind}:${absentId}'--`),
      encode(`${kind}:${absentId}\u0000`),
      `${encode(`${kind}:${absentId}`)}=`,
      encode(`${kind}:${absentId}`).slice(0, -1),
      encode(`${kind}: or 1=1`),
      '__proto__',
      '%00',
      'x',
    ]
    for (const cursor of tampered) {
      const sent = await send('GET', `${route.template}?cursor=${encodeURIComponent(cursor)}`, mallory)
      expect([cursor, sent.status]).toEqual([cursor, 400])
      expect(sent.text).toContain('"invalid-cursor"')
    }
  })
})

describe('filters', () => {
  it("of deliveries name nobody else's subscription", async () => {
    const subscription = await make('subscription', alice)
    await made(`/webhooks/subscriptions/${subscription}/test`, alice)
    expect(idsOf(await send('GET', `/webhooks/deliveries?subscription=${subscription}`, alice))).toHaveLength(1)
    expect(idsOf(await send('GET', `/webhooks/deliveries?subscription=${subscription}`, mallory))).toEqual([])
  })

  it("of payments find nobody else's by user, status or time", async () => {
    await make('payment', alice)
    for (const query of ['userId=user-1', 'status=PENDING', 'from=2020-01-01T00:00:00Z', 'userId=user-1&status=PENDING']) {
      const page = await send('GET', `/payments?${query}&limit=500`, mallory)
      expect(page.text).not.toContain('alice')
    }
  })
})

/** Members that the service decides alone. */
const decided = [
  'id',
  'client',
  'owner',
  'status',
  'version',
  'createdAt',
  'updatedAt',
  'failure',
  'remoteReference',
  'reach',
  'signingKeys',
  'secret',
]
const smuggled = [
  ...decided,
  'key',
  'secrets',
  'revokedAt',
  'expiresAt',
  'admin',
  'isAdmin',
  'permission',
  'role',
  'actor',
  'revision',
  'toString',
]

describe.each(routes.filter(({ rule }) => rule.body !== undefined && rule.access !== null))('$name', (route) => {
  it('takes no member that it does not name', async () => {
    const kind = route.rule.object
    const path = pathOf(route, kind === undefined ? absentId : await make(kind, alice))
    const credential = await token({ sub: 'alice', scope: 'admin' })
    for (const name of smuggled.filter((each) => !Object.hasOwn(route.rule.body as object, each))) {
      const body = { ...(route.rule.body as object), [name]: 'mallory' }
      const sent = await send(route.method, path, credential, { headers: { 'if-match': '*' }, body })
      expect([name, sent.status, (JSON.parse(sent.text) as { code: string }).code]).toEqual([name, 422, 'invalid-body'])
      expect(sent.text).toContain(`"pointer":"#/${name}"`)
    }
  })
})

describe.each(makers)('$name', (route) => {
  it('makes it the property of whoever asks', async () => {
    const sent = await send('POST', route.template, mallory, {
      body: route.rule.body,
      headers: { 'x-client-id': 'alice', 'x-forwarded-user': 'alice' },
    })
    expect(sent.status).toBe(201)
    const { client, owner } = JSON.parse(sent.text) as { client: string; owner?: string }
    expect(owner ?? client).toBe('https://issuer.test|mallory')
  })
})

describe('an Idempotency-Key', () => {
  it('of another client opens nothing of theirs', async () => {
    const headers = { 'idempotency-key': 'shared' }
    const body = bodyOf('/payments')
    const theirs = await send('POST', '/payments', alice, { headers, body })
    const mine = await send('POST', '/payments', mallory, { headers, body })
    expect([theirs.status, mine.status, mine.headers.get('idempotency-replayed')]).toEqual([201, 201, null])
    expect(mine.text).not.toContain('alice')
  })
})
