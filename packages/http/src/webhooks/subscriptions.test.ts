import { fakeWebhookTransport } from '@cbp/core/testing'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it, vi } from 'vitest'
import { asClient, createdPayment } from '../../tests/payments.ts'
import { type CallInit, openApp, openServer, problemOf, type TestApp, token } from '../../tests/support.ts'
import { systemClock } from '../assembly/platform/index.ts'

type Body = Record<string, unknown> & Readonly<{ id: string; secret: string; version: number }>
type Page = Readonly<{ items: readonly Body[]; nextCursor: string | null }>

const path = '/webhooks/subscriptions'
const wanted = { url: 'https://example.com/hooks', types: ['PAYMENT_CREATED', 'PAYMENT_COMPLETED'] }

async function bodyOf<T = Body>(response: Response): Promise<T> {
  return (await response.json()) as T
}

async function subscribed({ call }: TestApp, body: unknown = wanted, headers: CallInit['headers'] = {}): Promise<Body> {
  const response = await call('POST', path, { body, headers })
  expect(response.status).toBe(201)
  return bodyOf(response)
}

describe('a subscription', () => {
  it('is answered with its secret, once', async () => {
    const { call } = await openApp()
    const response = await call('POST', path, { body: wanted })
    const { secret, ...body } = await bodyOf(response)
    expect(body).toMatchObject({
      ...wanted,
      description: null,
      filter: { statuses: null, components: null },
      reach: { allClients: true, system: true },
      status: 'active',
      version: 1,
      signingKeys: [{ expiresAt: null }],
    })
    expect(secret).toMatch(/^whsec_/)
    expect([response.headers.get('location'), response.headers.get('etag')]).toEqual([`${path}/${body.id}`, '"1"'])
    expect(response.headers.get('cache-control')).toContain('no-store')
    for (const at of [path, `${path}/${body.id}`]) {
      const text = await (await call('GET', at)).text()
      expect(text).toContain(body.id)
      expect(text).not.toMatch(/whsec_|"secret"|sealed/)
      expect(text).not.toContain(secret.slice('whsec_'.length))
    }
  })

  it('gets another secret, and the old one an end', async () => {
    const opened = await openApp()
    const { id, secret } = await subscribed(opened)
    const rotated = await bodyOf(await opened.call('POST', `${path}/${id}/rotate-secret`))
    expect(rotated.secret).toMatch(/^whsec_/)
    expect(rotated.secret).not.toBe(secret)
    expect(rotated['signingKeys']).toMatchObject([{ expiresAt: null }, { expiresAt: expect.any(String) }])
  })

  it('takes a merge patch, against a version or whatever is there', async () => {
    const opened = await openApp()
    const { id } = await subscribed(opened, { ...wanted, filter: { statuses: ['FAILED'] } })
    const patch = (body: unknown, headers: CallInit['headers'] = {}): Promise<Response> =>
      opened.call('PATCH', `${path}/${id}`, { body, headers })
    expect(await bodyOf(await patch({ filter: { components: ['payments'] }, description: 'x' }))).toMatchObject({
      filter: { statuses: ['FAILED'], components: ['payments'] },
      description: 'x',
      version: 2,
    })
    expect(await problemOf(await patch({ active: false }, { 'if-match': '"1"' }))).toMatchObject({
      status: 412,
      code: 'stale-subscription',
      current: { id, version: 2 },
    })
    expect(await bodyOf(await patch({ active: false, filter: null, description: null }, { 'if-match': '"2"' }))).toMatchObject({
      filter: { statuses: null, components: null },
      description: null,
      status: 'disabled',
      disabledBecause: expect.any(String),
    })
    expect(await problemOf(await opened.call('POST', `${path}/${id}/test`))).toMatchObject({ status: 409, code: 'subscription-disabled' })
    expect(await bodyOf(await patch({ active: true }))).toMatchObject({ status: 'active', disabledBecause: null })
  })

  it('ends', async () => {
    const opened = await openApp()
    const { id } = await subscribed(opened)
    const ended = await opened.call('DELETE', `${path}/${id}`)
    expect([ended.status, await bodyOf(ended)]).toMatchObject([200, { id, status: 'deleted' }])
    expect(await problemOf(await opened.call('GET', `${path}/${id}`))).toMatchObject({ status: 404, code: 'subscription-not-found' })
    expect((await bodyOf<Page>(await opened.call('GET', path))).items).toEqual([])
  })

  it('does not end over a version that is no longer there', async () => {
    const opened = await openApp()
    const { id } = await subscribed(opened)
    await opened.call('PATCH', `${path}/${id}`, { body: { description: 'changed meanwhile' } })
    const end = (tag: string): Promise<Response> => opened.call('DELETE', `${path}/${id}`, { headers: { 'if-match': tag } })
    expect(await problemOf(await end('"1"'))).toMatchObject({ status: 412, code: 'stale-subscription', current: { id, version: 2 } })
    expect(await problemOf(await end('1'))).toMatchObject({ status: 400, code: 'invalid-header' })
    expect(await problemOf(await end('W/"2"'))).toMatchObject({ status: 412, code: 'stale-subscription', current: { id, version: 2 } })
    expect((await end('"1", W/"2", "2"')).status).toBe(200)
    expect(await problemOf(await end('*'))).toMatchObject({ status: 404 })
  })

  it('belongs to the client that made it', async () => {
    const opened = await openApp()
    const [mine, yours] = [await asClient('me'), await asClient('you')]
    const { id, reach } = await subscribed(opened, wanted, mine)
    expect(reach).toEqual({ allClients: false, system: false })
    for (const [method, at] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/rotate-secret'],
      ['POST', '/test'],
    ] as const) {
      const init = { headers: yours, ...(method === 'PATCH' ? { body: {} } : {}) }
      const problem = await problemOf(await opened.call(method, `${path}/${id}${at}`, init))
      expect([method, at, problem]).toMatchObject([method, at, { status: 404, code: 'subscription-not-found' }])
    }
    const listed = async (headers: Record<string, string>): Promise<number> =>
      (await bodyOf<Page>(await opened.call('GET', path, { headers }))).items.length
    expect([await listed(yours), await listed(mine)]).toEqual([0, 1])
    expect(await listed(await asClient('operator', 'webhooks:read clients:all'))).toBe(1)
  })

  it('hears the system only with a config:read that is not confined', async () => {
    const opened = await openApp()
    const scope = 'webhooks:write config:read'
    const body = { ...wanted, types: ['CONFIG_UPDATED'] }
    for (const claims of [{ scope: 'webhooks:write' }, { scope, cbp_scopes: ['/production'] }]) {
      const response = await opened.call('POST', path, { body, headers: { authorization: `Bearer ${await token(claims)}` } })
      expect(await problemOf(response)).toMatchObject({ status: 403, code: 'beyond-reach', types: ['CONFIG_UPDATED'] })
    }
    const free = { authorization: `Bearer ${await token({ scope })}` }
    expect((await opened.call('POST', path, { body, headers: free })).status).toBe(201)
  })

  it.each<[string, unknown, number, string, string]>([
    ['a target that is not allowed', { ...wanted, url: 'ftp://example.com' }, 422, 'forbidden-target', '#/url'],
    ['no types', { ...wanted, types: [] }, 422, 'invalid-body', '#/types'],
    ['an unknown type', { ...wanted, types: ['PAYMENT_LOST'] }, 422, 'invalid-body', '#/types/0'],
    ['a type twice', { ...wanted, types: ['PAYMENT_CREATED', 'PAYMENT_CREATED'] }, 422, 'invalid-body', '#/types'],
    ['an unknown member', { ...wanted, retries: 3 }, 422, 'invalid-body', '#/retries'],
    ['an unknown member of the filter', { ...wanted, filter: { amount: 1 } }, 422, 'invalid-body', '#/filter/amount'],
    ['a filter for nothing', { ...wanted, filter: { statuses: [] } }, 422, 'invalid-body', '#/filter/statuses'],
    ['a component that is none', { ...wanted, filter: { components: ['A'] } }, 422, 'invalid-body', '#/filter/components/0'],
    ['a URL too long', { ...wanted, url: `https://example.com/${'x'.repeat(2048)}` }, 422, 'invalid-body', '#/url'],
    ['a description that cannot be shown', { ...wanted, description: 'a\u0000' }, 422, 'invalid-body', '#/description'],
    ['a secret of the client', { ...wanted, secret: 'whsec_x' }, 422, 'invalid-body', '#/secret'],
  ])('is refused with %s', async (_name, body, status, code, pointer) => {
    const { call } = await openApp()
    const problem = await problemOf(await call('POST', path, { body }))
    expect(problem).toMatchObject({ status, code, errors: [{ pointer }] })
  })
})

describe('deliveries', () => {
  it('reach the endpoint signed, and are listed with their attempts', async () => {
    const webhookTransport = fakeWebhookTransport(systemClock)
    webhookTransport.script(wanted.url, [{ status: 200, body: 'internal words' }])
    const opened = await openServer({ ports: { webhookTransport } })
    const mine = await asClient('me')
    const { id, secret } = await subscribed(opened, wanted, mine)
    const payment = await createdPayment(opened.call, undefined, mine)
    await vi.waitFor(() => expect(webhookTransport.posts).toHaveLength(1), 4_000)
    const [post] = webhookTransport.posts
    expect(new Webhook(secret).verify(post?.body ?? '', post?.headers ?? {})).toMatchObject({
      type: 'PAYMENT_CREATED',
      payload: { id: payment.id },
    })
    const list = async (headers: Record<string, string>): Promise<readonly Body[]> =>
      (await bodyOf<Page>(await opened.call('GET', `/webhooks/deliveries?subscription=${id}&status=delivered`, { headers }))).items
    await vi.waitFor(async () => expect(await list(mine)).toHaveLength(1), 4_000)
    const [delivery] = await list(mine)
    expect(delivery).toMatchObject({ type: 'PAYMENT_CREATED', status: 'delivered', attempts: [{ number: 1, status: 200, error: null }] })
    expect(JSON.stringify(delivery)).not.toContain('internal words')
    expect(JSON.stringify(await list(await asClient('operator', 'webhooks:read clients:all')))).toContain('internal words')
    expect(await list(await asClient('you'))).toEqual([])

    const replayed = await opened.call('POST', `/webhooks/deliveries/${delivery?.id}/replay`, { headers: mine })
    const again = await bodyOf(replayed)
    expect([replayed.status, replayed.headers.get('location'), again]).toMatchObject([
      202,
      `/webhooks/deliveries/${again.id}`,
      { replayOf: delivery?.id, status: 'pending', attempts: [] },
    ])
    expect((await opened.call('GET', `/webhooks/deliveries/${again.id}`, { headers: mine })).status).toBe(200)
    expect(await problemOf(await opened.call('GET', `/webhooks/deliveries/${again.id}`, { headers: await asClient('you') }))).toMatchObject(
      {
        status: 404,
        code: 'delivery-not-found',
      },
    )
  })

  it('are not sent again while they are pending', async () => {
    const opened = await openApp()
    const { id } = await subscribed(opened)
    const queued = await opened.call('POST', `${path}/${id}/test`)
    const { id: delivery, ...body } = await bodyOf(queued)
    expect([queued.status, queued.headers.get('location'), body]).toMatchObject([
      202,
      `/webhooks/deliveries/${delivery}`,
      { type: 'TEST', event: null, status: 'pending' },
    ])
    expect(await problemOf(await opened.call('POST', `/webhooks/deliveries/${delivery}/replay`))).toMatchObject({
      status: 409,
      code: 'delivery-still-pending',
    })
  })

  it.each([
    ['/webhooks/deliveries?subscription=x', '#/query/subscription'],
    ['/webhooks/deliveries?status=lost', '#/query/status'],
    ['/webhooks/deliveries?cursor=x', '#/query/cursor'],
    ['/webhooks/deliveries/x', '#/path/id'],
    [`${path}/x`, '#/path/id'],
  ])('%s is refused', async (at, pointer) => {
    const { call } = await openApp()
    expect(await problemOf(await call('GET', at))).toMatchObject({ status: 400, code: 'invalid-parameter', errors: [{ pointer }] })
  })
})
