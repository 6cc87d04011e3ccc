import { describe, expect, it } from 'vitest'
import { openApp, problemOf, type TestApp, token } from '../../tests/support.ts'

type Page = Readonly<{ items: readonly Readonly<Record<string, unknown>>[]; nextCursor: string | null }>

const body = { url: 'https://shop.example/hook', types: ['PAYMENT_CREATED'] }

async function withSubscriptions(count: number): Promise<TestApp> {
  const app = await openApp()
  for (let made = 0; made < count; made += 1) {
    expect((await app.call('POST', '/webhooks/subscriptions', { body })).status).toBe(201)
  }
  return app
}

async function page({ call }: TestApp, query: string): Promise<Page> {
  const response = await call('GET', `/audit?${query}`)
  expect(response.status).toBe(200)
  return (await response.json()) as Page
}

describe('the audit log', () => {
  it('lists what was done, newest first, page by page', async () => {
    const app = await withSubscriptions(3)
    const first = await page(app, 'limit=2')
    expect(first.items.map(({ number }) => number)).toEqual([3, 2])
    expect(first.items[0]).toMatchObject({ action: 'webhook-secret.created', outcome: 'done', count: 1, keyVersion: 1 })
    const second = await page(app, `limit=2&cursor=${first.nextCursor}`)
    expect([second.items.map(({ number }) => number), second.nextCursor]).toEqual([[1], null])
  })

  it('is filtered by action, actor, subject and time', async () => {
    const app = await withSubscriptions(2)
    const [newest] = (await page(app, '')).items
    const { actor, subject, recordedAt } = newest as Record<'actor' | 'subject' | 'recordedAt', string>
    expect((await page(app, 'action=api-key.revoked')).items).toEqual([])
    expect((await page(app, `actor=${encodeURIComponent(actor)}&action=webhook-secret.created`)).items).toHaveLength(2)
    expect((await page(app, `subject=${encodeURIComponent(subject)}`)).items).toHaveLength(1)
    expect((await page(app, `to=${recordedAt}&from=2020-01-01T00:00:00Z&actor=nobody`)).items).toEqual([])
  })

  it.each(['action=unknown', 'limit=0', 'cursor=MQ', 'from=yesterday', 'more=1'])('refuses %s', async (query) => {
    const { call } = await openApp()
    expect((await call('GET', `/audit?${query}`)).status).toBe(400)
  })

  it('is verified, and tells an anchor to note elsewhere', async () => {
    const app = await withSubscriptions(2)
    const verify = async (query: string): Promise<Readonly<Record<string, unknown>>> =>
      (await (await app.call('GET', `/audit/verify${query}`)).json()) as Readonly<Record<string, unknown>>
    const verdict = await verify('')
    expect(verdict).toMatchObject({ intact: true, checked: 2, faults: [] })
    const anchor = String(verdict['anchor'])
    // As it is, without an escape of its plus signs, too.
    for (const each of [encodeURIComponent(anchor), anchor]) expect(await verify(`?anchor=${each}`)).toMatchObject({ intact: true })
    const other = encodeURIComponent(anchor.replace(/^\d+/, '9'))
    expect(await verify(`?anchor=${other}`)).toMatchObject({ intact: false, faults: [{ number: 3, reason: 'cut-off' }] })
    expect((await app.call('GET', '/audit/verify?anchor=9')).status).toBe(400)
  })

  it('is for those who may read it', async () => {
    const { call } = await openApp()
    for (const path of ['/audit', '/audit/verify']) {
      const refused = await call('GET', path, { headers: { authorization: `Bearer ${await token({ scope: 'config:read' })}` } })
      expect(await problemOf(refused)).toMatchObject({ status: 403, code: 'insufficient-permission' })
    }
  })
})
