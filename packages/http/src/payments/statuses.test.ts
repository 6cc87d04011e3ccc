import { fakePaymentService, fakeStore } from '@cbp/core/testing'
import { errAsync } from 'neverthrow'
import { beforeAll, describe, expect, it } from 'vitest'
import { bill, createdPayment, freshKey, process } from '../../tests/payments.ts'
import { type CallInit, openApp, problemOf, type TestApp, token } from '../../tests/support.ts'
import { systemClock } from '../assembly/platform/index.ts'

type Case = [name: string, method: string, path: string, init: CallInit, status: number, code: string, pointer?: string]

const json = { 'content-type': 'application/json' }
const key = { 'idempotency-key': 'some-key' }
const unknown = '01890a5d-ac96-774b-bcce-b302099a8057'

function create(name: string, body: unknown, pointer: string, headers: CallInit['headers'] = key): Case {
  return [name, 'POST', '/payments', { body, headers }, 422, 'invalid-body', pointer]
}

/** `:open` is a PENDING payment of version 1, `:done` a COMPLETED one. */
const refused: Case[] = [
  create('an unknown member', { ...bill, note: 'x' }, '#/note'),
  create('a member of every object', JSON.parse(`${JSON.stringify(bill).slice(0, -1)},"__proto__":{}}`), '#/__proto__'),
  create('an unknown member of the payee', { ...bill, payee: { ...bill.payee, iban: 'x' } }, '#/payee/iban'),
  create('no amount', { ...bill, amount: undefined }, '#/amount'),
  create('an amount of 0', { ...bill, amount: 0 }, '#/amount'),
  create('a fraction of a cent', { ...bill, amount: 12.5 }, '#/amount'),
  create('an amount as text', { ...bill, amount: '1250' }, '#/amount'),
  create('an amount beyond all bills', { ...bill, amount: 9_007_199_254_740_991 }, '#/amount'),
  create('a currency that is none', { ...bill, currency: 'ZZZ' }, '#/currency'),
  create('a currency in small letters', { ...bill, currency: 'usd' }, '#/currency'),
  create('a payee without a name', { ...bill, payee: { id: 'x' } }, '#/payee/name'),
  create('a blank user', { ...bill, userId: ' ' }, '#/userId'),
  create('a reference with a line break', { ...bill, reference: 'a\nb' }, '#/reference'),
  create('metadata that is no text', { ...bill, metadata: { a: 1 } }, '#/metadata/a'),
  create('a name of metadata that is none', { ...bill, metadata: { 'A b': 'x' } }, '#/metadata/A b'),
  create('metadata of a name that objects have', { ...bill, metadata: JSON.parse('{"__proto__":"x"}') }, '#/metadata'),
  create('metadata that is a list', { ...bill, metadata: [] }, '#/metadata'),
  create('a body that is a list', [bill], '#'),
  [
    'an amount that a double cannot hold',
    'POST',
    '/payments',
    { raw: '{"amount":12345678901234567891}', headers: { ...json, ...key } },
    422,
    'invalid-body',
    '#/amount',
  ],
  ['JSON that breaks off', 'POST', '/payments', { raw: '{"amount"', headers: { ...json, ...key } }, 400, 'malformed-json'],
  ['a body too large', 'POST', '/payments', { raw: `"${'x'.repeat(1_048_576)}"`, headers: { ...json, ...key } }, 413, 'body-too-large'],
  ['another type', 'POST', '/payments', { raw: 'a=1', headers: { 'content-type': 'text/plain', ...key } }, 415, 'unsupported-media-type'],
  [
    'a patch as a creation',
    'POST',
    '/payments',
    { raw: '{}', headers: { 'content-type': 'application/merge-patch+json', ...key } },
    415,
    'unsupported-media-type',
  ],
  ['no Idempotency-Key', 'POST', '/payments', { body: bill }, 400, 'idempotency-key-required'],
  [
    'an empty key',
    'POST',
    '/payments',
    { body: bill, headers: { 'idempotency-key': '' } },
    400,
    'invalid-header',
    '#/header/idempotency-key',
  ],
  [
    'an empty key in quotes',
    'POST',
    '/payments',
    { body: bill, headers: { 'idempotency-key': '""' } },
    400,
    'invalid-header',
    '#/header/idempotency-key',
  ],
  [
    'a key too long',
    'POST',
    '/payments',
    { body: bill, headers: { 'idempotency-key': 'x'.repeat(256) } },
    400,
    'invalid-header',
    '#/header/idempotency-key',
  ],
  [
    'two keys',
    'POST',
    '/payments',
    { body: bill, headers: { 'idempotency-key': 'a, b' } },
    400,
    'invalid-header',
    '#/header/idempotency-key',
  ],
  [
    'a key of another request',
    'POST',
    '/payments',
    { body: { ...bill, amount: 1 }, headers: { 'idempotency-key': 'used' } },
    422,
    'idempotency-key-reused',
  ],
  ['a status that is none', 'GET', '/payments?status=DONE', {}, 400, 'invalid-parameter', '#/query/status'],
  ['a time that is none', 'GET', '/payments?from=yesterday', {}, 400, 'invalid-parameter', '#/query/from'],
  ['a day that is none', 'GET', '/payments?to=2026-02-30T00:00:00Z', {}, 400, 'invalid-parameter', '#/query/to'],
  ['an unknown parameter', 'GET', '/payments?state=PENDING', {}, 400, 'invalid-parameter', '#/query/state'],
  ['a limit of 0', 'GET', '/payments?limit=0', {}, 400, 'invalid-parameter', '#/query/limit'],
  ['a cursor of no list', 'GET', '/payments?cursor=abc', {}, 400, 'invalid-parameter', '#/query/cursor'],
  ['a cursor of another list', 'GET', `/payments?cursor=${cursor('delivery', unknown)}`, {}, 400, 'invalid-parameter', '#/query/cursor'],
  ['a cursor that names no id', 'GET', `/payments?cursor=${cursor('payment', "' or 1=1")}`, {}, 400, 'invalid-parameter', '#/query/cursor'],
  [
    'a cursor of another history',
    'GET',
    `/payments/:open/history?cursor=${cursor('payment-history', '-1')}`,
    {},
    400,
    'invalid-parameter',
    '#/query/cursor',
  ],
  ['an id that is none', 'GET', '/payments/1', {}, 400, 'invalid-parameter', '#/path/id'],
  ['an unknown payment', 'GET', `/payments/${unknown}`, {}, 404, 'payment-not-found'],
  ['the status of an unknown payment', 'GET', `/payments/${unknown}/status`, {}, 404, 'payment-not-found'],
  ['an unknown payment to verify', 'GET', `/payments/${unknown}/verify`, {}, 404, 'payment-not-found'],
  ['the history of an unknown payment', 'GET', `/payments/${unknown}/history`, {}, 404, 'payment-not-found'],
  ['an unknown payment to process', 'POST', `/payments/${unknown}/process`, { headers: key }, 404, 'payment-not-found'],
  ['an unknown payment to amend', 'PATCH', `/payments/${unknown}`, { body: {}, headers: { 'if-match': '*' } }, 404, 'payment-not-found'],
  ['processing without a key', 'POST', '/payments/:open/process', {}, 400, 'idempotency-key-required'],
  ['an amendment without If-Match', 'PATCH', '/payments/:open', { body: { amount: 1 } }, 428, 'precondition-required'],
  ['a cancellation without If-Match', 'DELETE', '/payments/:open', {}, 428, 'precondition-required'],
  ['an unquoted ETag', 'DELETE', '/payments/:open', { headers: { 'if-match': '1' } }, 400, 'invalid-header', '#/header/if-match'],
  ['a stale ETag', 'DELETE', '/payments/:open', { headers: { 'if-match': '"2"' } }, 412, 'stale-payment'],
  ['a weak ETag', 'DELETE', '/payments/:open', { headers: { 'if-match': 'W/"1"' } }, 412, 'stale-payment'],
  ['an ETag of another kind', 'PATCH', '/payments/:open', { body: {}, headers: { 'if-match': '"1-abc"' } }, 412, 'stale-payment'],
  [
    'an amendment of what cannot be amended',
    'PATCH',
    '/payments/:open',
    { body: { userId: 'x' }, headers: { 'if-match': '"1"' } },
    422,
    'invalid-body',
    '#/userId',
  ],
  [
    'an amount of null',
    'PATCH',
    '/payments/:open',
    { body: { amount: null }, headers: { 'if-match': '"1"' } },
    422,
    'invalid-body',
    '#/amount',
  ],
  [
    'an amendment to a bad currency',
    'PATCH',
    '/payments/:open',
    { body: { currency: 'ZZZ' }, headers: { 'if-match': '"1"' } },
    422,
    'invalid-body',
    '#/currency',
  ],
  [
    'an amendment of a payment that is done',
    'PATCH',
    '/payments/:done',
    { body: { amount: 1 }, headers: { 'if-match': '*' } },
    409,
    'payment-state-conflict',
  ],
  [
    'a cancellation of a payment that is done',
    'DELETE',
    '/payments/:done',
    { headers: { 'if-match': '*' } },
    409,
    'payment-state-conflict',
  ],
  ['no token', 'GET', '/payments', { headers: { authorization: undefined } }, 401, 'unauthenticated'],
  ['a method that it does not take', 'PUT', '/payments/:open', { body: {} }, 405, 'method-not-allowed'],
]

function cursor(kind: string, position: string): string {
  return Buffer.from(`${kind}:${position}`).toString('base64url')
}

describe('payments refuse', () => {
  let opened: TestApp
  let ids: Record<string, string>

  beforeAll(async () => {
    opened = await openApp()
    const { call } = opened
    await createdPayment(call, bill, { 'idempotency-key': 'used' })
    const [open, done] = [await createdPayment(call), await createdPayment(call)]
    await process(call, done.id)
    ids = { ':open': open.id, ':done': done.id }
  })

  it.each(refused)('%s', async (_name, method, path, init, status, code, pointer) => {
    const response = await opened.call(
      method,
      path.replace(/:(open|done)/, (name) => ids[name] ?? ''),
      init,
    )
    const problem = await problemOf(response)
    expect([response.status, problem['code']]).toEqual([status, code])
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    const pointers = ((problem['errors'] ?? []) as { pointer: string }[]).map((fault) => fault.pointer)
    expect(pointers).toEqual(pointer === undefined ? [] : [pointer])
  })

  it.each([
    ['GET', '/payments', 'payments:write'],
    ['POST', '/payments', 'payments:read'],
    ['PATCH', `/payments/${unknown}`, 'payments:read clients:all'],
    ['DELETE', `/payments/${unknown}`, 'payments:read'],
    ['POST', `/payments/${unknown}/process`, 'payments:read'],
    ['GET', `/payments/${unknown}/verify`, 'payments:write'],
  ])('%s %s of a token with %s only', async (method, path, scope) => {
    const response = await opened.call(method, path, { headers: { authorization: `Bearer ${await token({ scope })}` } })
    expect([response.status, (await problemOf(response))['code']]).toEqual([403, 'insufficient-permission'])
  })

  it('an amendment of another type, and says which it takes', async () => {
    const init = { raw: '[]', headers: { 'content-type': 'application/json-patch+json', 'if-match': '*' } }
    const response = await opened.call('PATCH', `/payments/${ids[':open']}`, init)
    expect([response.status, response.headers.get('accept-patch')]).toEqual([415, 'application/merge-patch+json, application/json'])
  })
})

describe('what is away', () => {
  it('is told as 503 with Retry-After when it is the store', async () => {
    const away = () => errAsync({ kind: 'store-unavailable', reason: 'gone' }) as never
    const { paymentStore } = fakeStore(systemClock)
    const { call } = await openApp({
      ports: { paymentStore: { ...paymentStore, payments: away, payment: away }, transactions: { attempt: away, settle: away } },
    })
    for (const response of [await call('GET', '/payments'), await call('GET', `/payments/${unknown}`)]) {
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
    }
  })

  it('is told as 503 with Retry-After when it is the Payment Service', async () => {
    const paymentService = fakePaymentService({ clock: systemClock })
    const find = () => errAsync({ kind: 'payment-service-unavailable', sent: true, reason: 'gone' }) as never
    const { call } = await openApp({ ports: { paymentService: { ...paymentService, find } } })
    const { id } = await createdPayment(call)
    await process(call, id, { 'idempotency-key': freshKey() })
    const response = await call('GET', `/payments/${id}/verify`)
    expect([response.status, (await problemOf(response))['code']]).toEqual([503, 'payment-service-unavailable'])
    expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
  })
})
