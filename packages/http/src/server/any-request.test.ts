import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createdPayment } from '../../tests/payments.ts'
import { createIt, openApp, problemOf, put, type TestServer, token } from '../../tests/support.ts'

describe('any request at all', () => {
  let server: TestServer['call']
  let good: string

  beforeAll(async () => {
    const opened = await openApp()
    server = opened.call
    good = `Bearer ${await token({ scope: 'admin' })}`
    await put(server, '/config/payments/a', { a: 1 })
  })

  const word = fc.oneof(
    fc.constantFrom(
      'config',
      'payments',
      'a',
      'versions',
      '1',
      'diff',
      'rollback',
      'changes',
      'health',
      'problems',
      'docs',
      'metrics',
      '%',
      '%00',
      '..',
      '__proto__',
      '$schema',
      'process',
      'webhooks',
      'subscriptions',
      'deliveries',
      'payment-status',
      'events',
      'dead-letters',
      'streams',
      '01890a5d-ac96-774b-bcce-b302099a8057',
    ),
    fc.string(),
  )
  const path = fc
    .array(word, { maxLength: 6 })
    .map((words) => `/${words.map((each) => encodeURIComponent(each).replaceAll('%25', '%')).join('/')}`)
  const parameter = fc.tuple(
    fc.constantFrom('scope', 'asOf', 'raw', 'limit', 'cursor', 'since', 'from', 'to', 'reason', '__proto__', 'x'),
    fc.oneof(
      fc.constantFrom('/', '/production', '1', '0', '-1', '9'.repeat(20), 'true', 'e1.1', '%', '%ff'),
      fc.string().map(encodeURIComponent),
    ),
  )
  const query = fc.array(parameter, { maxLength: 4 }).map((pairs) => pairs.map((pair) => pair.join('=')).join('&'))
  const header = fc.oneof(
    fc.constantFrom('*', '"1-a"', '"r-1-a"', 'W/"x"', '"', ',', '', '"a","b"', 'gzip', 'application/json', 'text/html', '00-x', '1e9'),
    fc.stringMatching(/^[\x21-\x7e]{0,40}$/),
  )
  const headers = fc.dictionary(
    fc.constantFrom(
      'if-match',
      'if-none-match',
      'content-type',
      'accept',
      'accept-encoding',
      'last-event-id',
      'x-request-id',
      'traceparent',
      'content-encoding',
      'idempotency-key',
      'webhook-id',
      'webhook-timestamp',
      'webhook-signature',
    ),
    header,
  )
  const body = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({ value: fc.jsonValue(), reason: fc.string(), toVersion: fc.integer() }, { requiredKeys: [] })
      .map((value) => JSON.stringify(value)),
  )

  it('gets no 5xx, and a problem with every refusal', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'),
        path,
        query,
        headers,
        body,
        async (method, target, given, fields, raw) => {
          if (target.startsWith('/config/watch')) return
          const init = method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? {} : { raw }
          const response = await server(method, `${target}?${given}`, {
            ...init,
            headers: { 'content-type': 'application/json', ...fields, authorization: good },
          })
          expect(response.status).toBeLessThan(500)
          if (response.status >= 400 && method !== 'HEAD')
            expect(await problemOf(response)).toMatchObject({
              status: response.status,
              code: expect.any(String),
              requestId: response.headers.get('x-request-id'),
            })
        },
      ),
      { numRuns: 500 },
    ))

  const odd = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(null, '', '\u0000', '\ud800', -1, 1e300, [], {}, 'USD', 'https://x', 'PAYMENT_CREATED'),
  )
  const likely = fc.oneof(
    fc.record(
      {
        amount: fc.oneof(fc.constant(1), odd),
        currency: fc.oneof(fc.constant('USD'), odd),
        payee: fc.oneof(fc.record({ id: odd, name: odd }), fc.constant({ id: 'a', name: 'b' })),
        userId: fc.oneof(fc.constant('u'), odd),
        reference: odd,
        metadata: fc.oneof(fc.dictionary(fc.string(), fc.string()), odd),
      },
      { requiredKeys: [] },
    ),
    fc.record(
      {
        url: fc.oneof(fc.constant('https://example.com'), odd),
        types: fc.oneof(fc.constant(['PAYMENT_CREATED']), fc.array(odd, { maxLength: 3 })),
        filter: fc.oneof(fc.record({ statuses: odd, components: odd }, { requiredKeys: [] }), odd),
        description: odd,
        active: odd,
      },
      { requiredKeys: [] },
    ),
  )

  it('gets no 5xx for a body that is almost right', async () => {
    const { id } = await createdPayment(server)
    const { id: hook } = (await (
      await server('POST', '/webhooks/subscriptions', { body: { url: 'https://example.com', types: ['PAYMENT_CREATED'] } })
    ).json()) as { id: string }
    const places = [
      ['POST', '/payments'],
      ['PATCH', `/payments/${id}`],
      ['POST', '/webhooks/subscriptions'],
      ['PATCH', `/webhooks/subscriptions/${hook}`],
      ['POST', '/webhooks/payment-status'],
    ] as const
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), likely, fc.string(), async ([method, path], given, key) => {
        const headers = { 'idempotency-key': encodeURIComponent(key.toWellFormed()), 'if-match': '*' }
        const response = await server(method, path, { body: given, headers })
        expect(response.status).toBeLessThan(500)
        const body = await problemOf(response)
        if (body['code'] === 'invalid-body') expect(body['errors']).toEqual(expect.any(Array))
      }),
      { numRuns: 500 },
    )
  })

  let count = 0

  it('stores any JSON value and gives it back', () =>
    fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 5 }), async (value) => {
        count += 1
        const expected: unknown = JSON.parse(JSON.stringify(value))
        const made = await put(server, `/config/payments/k-${count}`, value, createIt)
        expect(made.status).toBe(201)
        expect(await (await server('GET', `/config/payments/k-${count}`)).json()).toMatchObject({ value: expected })
      }),
      { numRuns: 100 },
    ))
})
