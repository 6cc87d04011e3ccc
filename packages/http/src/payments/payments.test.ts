import { fakePaymentService, type RemoteBehaviour } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import { asClient, bill, createdPayment, freshKey, type PaymentBody, postPayment, process } from '../../tests/payments.ts'
import { openApp, problemOf, type TestApp } from '../../tests/support.ts'
import { systemClock } from '../assembly/platform/index.ts'

type Page = Readonly<{ items: readonly PaymentBody[]; nextCursor: string | null }>

function openRemote(behaviour: RemoteBehaviour, timeoutMs = 20): Promise<TestApp> {
  return openApp({ ports: { paymentService: fakePaymentService({ clock: systemClock, behaviourOf: () => behaviour, timeoutMs }) } })
}

async function bodyOf<T = PaymentBody>(response: Response): Promise<T> {
  return (await response.json()) as T
}

describe('creating a payment', () => {
  it('answers the payment, where it is, and its ETag', async () => {
    const { call } = await openApp()
    const response = await postPayment(call, { ...bill, reference: 'A-17', metadata: { invoice: 'A-17' } })
    const body = await bodyOf(response)
    expect(response.status).toBe(201)
    expect(body).toMatchObject({ ...bill, status: 'PENDING', version: 1, reference: 'A-17', metadata: { invoice: 'A-17' }, failure: null })
    expect([response.headers.get('location'), response.headers.get('etag')]).toEqual([`/payments/${body.id}`, '"1"'])
    expect(await bodyOf(await call('GET', `/payments/${body.id}`))).toEqual(body)
  })

  it('answers the same key and body again, byte for byte, and says so', async () => {
    const { call } = await openApp()
    const key = { 'idempotency-key': freshKey() }
    const first = await postPayment(call, bill, key)
    const { id } = await bodyOf(first.clone())
    await call('PATCH', `/payments/${id}`, { body: { amount: 1 }, headers: { 'if-match': '*' } })
    const again = await postPayment(call, { userId: bill.userId, payee: bill.payee, currency: bill.currency, amount: bill.amount }, key)
    expect([again.status, await again.text()]).toEqual([first.status, await first.text()])
    for (const name of ['location', 'etag', 'content-type']) expect(again.headers.get(name)).toBe(first.headers.get(name))
    expect([first.headers.get('idempotency-replayed'), again.headers.get('idempotency-replayed')]).toEqual([null, 'true'])
    expect((await bodyOf<Page>(await call('GET', '/payments'))).items).toHaveLength(1)
  })

  it('takes a key in quotes, as the draft has it, for the same key', async () => {
    const { call } = await openApp()
    const first = await createdPayment(call, bill, { 'idempotency-key': 'a"b' })
    expect(await createdPayment(call, bill, { 'idempotency-key': '"a\\"b"' })).toEqual(first)
  })

  it('keeps the keys of clients apart', async () => {
    const { call } = await openApp()
    const key = { 'idempotency-key': freshKey() }
    const mine = await createdPayment(call, bill, { ...(await asClient('me')), ...key })
    const yours = await createdPayment(call, bill, { ...(await asClient('you')), ...key })
    expect(yours.id).not.toBe(mine.id)
  })

  it('makes one payment of racing requests with one key', async () => {
    const { call } = await openApp()
    const key = { 'idempotency-key': freshKey() }
    const answers = await Promise.all(Array.from({ length: 8 }, () => postPayment(call, bill, key)))
    for (const { status } of answers) expect([201, 409]).toContain(status)
    expect((await bodyOf<Page>(await call('GET', '/payments'))).items).toHaveLength(1)
  })

  it('does not keep a refused body', async () => {
    const { call } = await openApp()
    const key = { 'idempotency-key': freshKey() }
    expect((await postPayment(call, { ...bill, currency: 'XXXX' }, key)).status).toBe(422)
    expect((await postPayment(call, bill, key)).status).toBe(201)
  })

  it('tells which payment has a reference', async () => {
    const { call } = await openApp()
    const { id } = await createdPayment(call, { ...bill, reference: 'A-17' })
    expect(await problemOf(await postPayment(call, { ...bill, reference: 'A-17' }))).toMatchObject({
      status: 409,
      code: 'duplicate-reference',
      paymentId: id,
    })
  })
})

describe('processing a payment', () => {
  it('answers 200 once its end is known', async () => {
    const { call } = await openApp()
    const { id } = await createdPayment(call)
    const response = await process(call, id)
    expect([response.status, response.headers.get('location'), await bodyOf(response)]).toMatchObject([200, null, { status: 'COMPLETED' }])
  })

  it('answers 202 and where to look while it is open', async () => {
    const { call } = await openRemote({ kind: 'completes', afterMs: 60_000 })
    const { id } = await createdPayment(call)
    const key = { 'idempotency-key': freshKey() }
    const response = await process(call, id, key)
    const location = response.headers.get('location') ?? ''
    expect([response.status, location]).toEqual([202, `/payments/${id}/status`])
    expect(await bodyOf(await call('GET', location))).toMatchObject({ id, status: 'PROCESSING' })
    const again = await process(call, id, key)
    expect([again.status, await again.text()]).toEqual([202, await response.text()])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
  })

  it('never takes a time-out for a failure', async () => {
    const { call } = await openRemote({ kind: 'times-out-before' })
    const { id } = await createdPayment(call)
    const response = await process(call, id)
    expect([response.status, await bodyOf(response)]).toMatchObject([202, { status: 'UNKNOWN' }])
  })

  it('refuses a second instruction', async () => {
    const { call } = await openApp()
    const { id } = await createdPayment(call)
    await process(call, id)
    expect(await problemOf(await process(call, id))).toMatchObject({
      status: 409,
      code: 'payment-state-conflict',
      current: { status: 'COMPLETED' },
    })
  })

  it('tells a second request that the first is under way, and when to come again', async () => {
    const { call } = await openRemote({ kind: 'times-out-before' }, 300)
    const { id } = await createdPayment(call)
    const key = { 'idempotency-key': freshKey() }
    const first = process(call, id, key)
    await new Promise((settle) => setTimeout(settle, 50))
    const second = await process(call, id, key)
    expect([second.status, (await problemOf(second))['code']]).toEqual([409, 'request-in-flight'])
    expect(second.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    await first
  })
})

describe('changing a payment', () => {
  it('merges a patch, under either media type', async () => {
    const { call } = await openApp()
    const { id } = await createdPayment(call, { ...bill, metadata: { a: '1', b: '2' } })
    const patch = (etag: string, type: string, body: unknown): Promise<Response> =>
      call('PATCH', `/payments/${id}`, { raw: JSON.stringify(body), headers: { 'content-type': type, 'if-match': etag } })
    const first = await patch('"1"', 'application/merge-patch+json', { metadata: { a: null, c: '3' }, payee: { name: 'Water' } })
    expect([first.status, first.headers.get('etag')]).toEqual([200, '"2"'])
    expect(await bodyOf(first)).toMatchObject({ metadata: { b: '2', c: '3' }, payee: { id: 'water-7', name: 'Water' }, amount: 1250 })
    expect(await bodyOf(await patch('"2"', 'application/json; charset=utf-8', { metadata: null }))).toMatchObject({
      metadata: {},
      version: 3,
    })
  })

  it('lets exactly one of two racing writers win', async () => {
    const { call } = await openApp()
    const { id } = await createdPayment(call)
    const amend = (amount: number): Promise<Response> =>
      call('PATCH', `/payments/${id}`, { body: { amount }, headers: { 'if-match': '"1"' } })
    const statuses = (await Promise.all([amend(1), amend(2)])).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200, 412]))
  })

  it('cancels softly', async () => {
    const { call } = await openApp()
    const { id } = await createdPayment(call)
    const response = await call('DELETE', `/payments/${id}?reason=twice`, { headers: { 'if-match': '"1"' } })
    expect([response.status, await bodyOf(response)]).toMatchObject([200, { id, status: 'CANCELLED', version: 2 }])
    const history = await bodyOf<{ items: Record<string, unknown>[] }>(await call('GET', `/payments/${id}/history`))
    expect(history.items).toMatchObject([
      { number: 1, kind: 'created', to: 'PENDING' },
      { number: 2, kind: 'transition', from: 'PENDING', to: 'CANCELLED', cause: 'request', actor: 'https://issuer.test|tester' },
    ])
  })

  it('tells a stale writer how it stands, and names no payee in an error', async () => {
    const { call } = await openApp()
    const { id } = await createdPayment(call)
    const stale = await call('DELETE', `/payments/${id}`, { headers: { 'if-match': '"7", W/"1"' } })
    const problem = await problemOf(stale)
    expect(problem).toMatchObject({ status: 412, code: 'stale-payment' })
    expect(problem['current']).toEqual({ id, status: 'PENDING', version: 1, updatedAt: expect.any(String) })
  })
})

describe('reading payments', () => {
  it('answers 304 to who has it already', async () => {
    const { call } = await openApp()
    const { id } = await createdPayment(call)
    for (const path of [`/payments/${id}`, `/payments/${id}/status`]) {
      const response = await call('GET', path, { headers: { 'if-none-match': '"1"' } })
      expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([304, '"1"', ''])
    }
  })

  it('pages through them, newest first, by status, user and time', async () => {
    const { call } = await openApp()
    const made: string[] = []
    for (const userId of ['a', 'b', 'a', 'a']) made.unshift((await createdPayment(call, { ...bill, userId })).id)
    const listed: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Page = await bodyOf(await call('GET', `/payments?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`))
      listed.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
    }
    expect(listed).toEqual(made)
    const idsOf = async (query: string): Promise<string[]> =>
      (await bodyOf<Page>(await call('GET', `/payments?${query}`))).items.map(({ id }) => id)
    expect(await idsOf('userId=b')).toEqual([made[2]])
    expect(await idsOf('status=COMPLETED')).toEqual([])
    expect(await idsOf('from=2999-01-01T00:00:00Z')).toEqual([])
    expect(await idsOf('to=2999-01-01T00:00:00%2B01:00&from=2001-01-01T00:00:00Z')).toEqual(made)
  })

  it('compares with the Payment Service', async () => {
    const { call } = await openApp()
    const { id } = await createdPayment(call)
    await process(call, id)
    expect(await bodyOf(await call('GET', `/payments/${id}/verify`))).toEqual({
      id,
      verified: true,
      status: 'COMPLETED',
      remoteStatus: 'COMPLETED',
      discrepancies: [],
    })
  })

  it('shows nobody what is not theirs, but to clients:all', async () => {
    const { call } = await openApp()
    const mine = await asClient('me')
    const { id } = await createdPayment(call, bill, mine)
    const yours = await asClient('you')
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/status'],
      ['GET', '/verify'],
      ['GET', '/history'],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/process'],
    ] as const) {
      const init = { headers: { ...yours, 'if-match': '"1"', 'idempotency-key': freshKey() }, ...(method === 'PATCH' ? { body: {} } : {}) }
      expect([method, path, await problemOf(await call(method, `/payments/${id}${path}`, init))]).toMatchObject([
        method,
        path,
        { status: 404, code: 'payment-not-found' },
      ])
    }
    const seen = async (headers: Record<string, string>): Promise<string[]> =>
      (await bodyOf<Page>(await call('GET', '/payments', { headers }))).items.map((payment) => payment.id)
    expect(await seen(yours)).toEqual([])
    expect(await seen(mine)).toEqual([id])
    const operator = await asClient('operator', 'payments:read clients:all')
    expect(await seen(operator)).toEqual([id])
    expect((await call('GET', `/payments/${id}`, { headers: operator })).status).toBe(200)
  })
})
