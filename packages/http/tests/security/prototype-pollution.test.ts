import { beforeAll, describe, expect, it } from 'vitest'
import { createdPayment, freshKey } from '../payments.ts'
import { createIt, openApp, type TestApp, token } from '../support.ts'

const payloads: readonly string[] = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"a":{"__proto__":{"polluted":true},"b":{"__proto__":{"__proto__":{"polluted":true}}}}}',
  '{"\\u005f_proto__":{"polluted":true}}',
  '[{"__proto__":[]},{"__proto__":null}]',
  '{"__defineGetter__":1,"toString":null,"hasOwnProperty":0,"valueOf":"x","toJSON":"x","then":1,"length":-1}',
]

let opened: TestApp
let count = 0

const put = (path: string, raw: string): Promise<Response> =>
  opened.call('PUT', path, { raw, headers: { ...createIt, 'content-type': 'application/json' } })

function expectClean(): void {
  const plain: Record<string, unknown> = {}
  expect(plain['polluted']).toBeUndefined()
  expect(([] as unknown as Record<string, unknown>)['polluted']).toBeUndefined()
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(Object.getPrototypeOf(plain)).toBe(Object.prototype)
  for (const name of ['toString', 'hasOwnProperty', 'valueOf'] as const) expect(typeof Object.prototype[name]).toBe('function')
}

beforeAll(async () => {
  opened = await openApp()
})

describe.each(payloads)('%s', (payload) => {
  it('is kept as data, merged as data and given back as it came', async () => {
    count += 1
    const path = `/config/payments/k-${count}`
    expect((await put(path, `{"value":{"a":{"kept":1}},"reason":"x"}`)).status).toBe(201)
    expect((await put(`${path}?scope=/production`, `{"value":${payload},"reason":"x"}`)).status).toBe(201)
    expect((await put(`${path}?scope=/production/first`, `{"value":{"a":{"own":2}},"reason":"x"}`)).status).toBe(201)
    const raw = (await (await opened.call('GET', `${path}?scope=/production&raw=true`)).json()) as { value: unknown }
    expect(JSON.stringify(raw.value)).toBe(JSON.stringify(JSON.parse(payload)))
    for (const scope of ['/production', '/production/first']) {
      for (const at of [`${path}?scope=${scope}`, `/config/payments?scope=${scope}`, `${path}/versions?scope=${scope}`]) {
        expect((await opened.call('GET', at)).status).toBe(200)
      }
    }
    if (!payload.startsWith('[')) {
      const { value } = (await (await opened.call('GET', `${path}?scope=/production/first`)).json()) as { value: Record<string, unknown> }
      expect(value['a']).toMatchObject({ own: 2 })
      expect(Object.keys(JSON.parse(payload) as object).every((name) => Object.hasOwn(value, name))).toBe(true)
    }
    expectClean()
  })

  it('is refused, or kept as data, wherever a body has a place for it', async () => {
    const { id } = await createdPayment(opened.call)
    const made = await opened.call('POST', '/webhooks/subscriptions', { body: { url: 'https://example.com', types: ['PAYMENT_CREATED'] } })
    const hook = ((await made.json()) as { id: string }).id
    const payment = `"amount":1,"currency":"USD","payee":{"id":"a","name":"b"},"userId":"u"`
    const bodies: readonly (readonly [method: string, path: string, raw: string])[] = [
      ['POST', '/payments', payload],
      ['POST', '/payments', `{${payment},"metadata":${payload}}`],
      ['POST', '/payments', `{${payment},${payload.slice(1, -1)}}`],
      ['PATCH', `/payments/${id}`, payload],
      ['PATCH', `/payments/${id}`, `{"metadata":${payload}}`],
      ['PATCH', `/payments/${id}`, `{"payee":${payload}}`],
      ['PATCH', `/webhooks/subscriptions/${hook}`, payload],
      ['PATCH', `/webhooks/subscriptions/${hook}`, `{"filter":${payload}}`],
      ['POST', '/api-keys', `{"name":"n","permissions":["config:read"],"recipient":${payload}}`],
      ['POST', '/api-keys', payload],
    ]
    for (const [method, path, raw] of bodies) {
      const headers = { 'content-type': 'application/json', 'if-match': '*', 'idempotency-key': freshKey() }
      const response = await opened.call(method, path, { raw, headers })
      expect([path, raw, response.status]).toEqual([path, raw, expect.toSatisfy((status: number) => status === 400 || status === 422)])
      expectClean()
    }
  })
})

describe('names of every object', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__']

  it('are no parameters, headers, problems, assets or components', async () => {
    for (const name of names) {
      for (const path of [`/config?${name}=1`, `/payments?${name}[polluted]=1`]) {
        expect([path, (await opened.call('GET', path)).status]).toEqual([path, 400])
      }
      // Some of them are names that a setting may have; there is just none.
      expect([400, 404]).toContain((await opened.call('GET', `/config/payments/${name}`)).status)
      const snapshot = await opened.call('GET', `/config/${name}`)
      expect(snapshot.status === 400 || (await snapshot.text()).includes('"entries":[]')).toBe(true)
      for (const path of [`/problems/${name}`, `/docs/${name}`, `/${name}`])
        expect([path, (await opened.call('GET', path)).status]).toEqual([path, 404])
      expect((await opened.call('GET', '/config', { headers: { [name]: 'polluted' } })).status).toBe(200)
    }
    expectClean()
  })

  it('grant nothing as claims of a token', async () => {
    for (const name of names) {
      const claims = { scope: name, [name]: { scope: 'admin', roles: ['admin'] }, roles: [name] }
      const response = await opened.call('GET', '/audit', { headers: { authorization: `Bearer ${await token(claims)}` } })
      expect(response.status).toBe(403)
    }
    expectClean()
  })
})
