import { connect } from 'node:net'
import { fakeStore } from '@cbp/core/testing'
import { errAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { bill, createdPayment, postPayment } from '../../tests/payments.ts'
import { openApp, openServer, put, type TestServer, token } from '../../tests/support.ts'
import { systemClock } from '../assembly/platform/index.ts'
import { openMetricsOf } from '../metrics/open-metrics.ts'
import { catalogue, problemCodes } from '../problems/catalogue.ts'

describe('the documentation page', () => {
  it('loads from this service alone', async () => {
    const { app } = await openApp()
    const page = await (await app.request('/docs')).text()
    const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => target ?? '')
    expect(page).not.toMatch(/https?:/)
    expect(loaded).toHaveLength(4)
    for (const target of loaded) expect([target, (await app.request(target)).status]).toEqual([target, 200])
  })

  it('allows neither inline scripts nor other origins', async () => {
    const { app } = await openApp()
    const policy = (await app.request('/docs')).headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).not.toMatch(/https?:|\*/)
  })
})

describe('problems', () => {
  it.each(problemCodes)('%s has a page for people and one for programs', async (code) => {
    const { app } = await openApp()
    expect(await (await app.request(`/problems/${code}`)).json()).toEqual({ code, ...catalogue[code] })
    const page = await app.request(`/problems/${code}`, { headers: { accept: 'text/html,*/*' } })
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(await page.text()).toContain(code)
  })
})

describe('health', () => {
  it.each(['/health', '/health/live', '/health/ready', '/health/database', '/health/cache', '/health/queue'])(
    '%s passes without a token',
    async (path) => {
      const { app } = await openApp()
      const response = await app.request(path)
      expect([response.status, await response.json()]).toMatchObject([200, { status: 'pass', checks: expect.any(Object) }])
    },
  )

  it('fails readiness but not liveness during a shutdown', async () => {
    const { app, deps } = await openApp()
    deps.lifecycle.stop()
    expect([(await app.request('/health/ready')).status, (await app.request('/health/live')).status]).toEqual([503, 200])
  })

  it('fails when the store does not answer', async () => {
    const { deps } = await openApp()
    const failing = { ...deps.health, database: async () => ({ status: 'fail', output: 'away', engine: 'fake', durationMs: 0 }) as const }
    const { app } = await openApp({ health: failing })
    const response = await app.request('/health')
    expect([response.status, await response.json()]).toMatchObject([503, { status: 'fail' }])
  })
})

describe('metrics', () => {
  it('names what is measured', async () => {
    const { call } = await openApp()
    await put(call, '/config/payments/a', 1)
    for (const _ of [1, 2]) await createdPayment(call, bill, { 'idempotency-key': 'once' })
    const text = await (await call('GET', '/metrics')).text()
    for (const name of [
      'cbp_http_requests_total{method="PUT",route="/config/{component}/{key}",status="201"} 1',
      'cbp_http_request_duration_seconds_bucket{method="PUT",route="/config/{component}/{key}",status_class="2xx",le="+Inf"} 1',
      'cbp_store_call_duration_seconds_count{operation="transaction"}',
      'cbp_cache_reads_total{result="hit"}',
      'cbp_outbox_backlog_events 2',
      'cbp_outbox_oldest_event_age_seconds',
      'cbp_outbox_blocked_streams 0',
      'cbp_relay_confirmed_total',
      'cbp_watchers 0',
      'cbp_payments{status="PENDING"} 1',
      'cbp_payments{status="REVERSED"} 0',
      'cbp_open_discrepancies 0',
      'cbp_reconciler_checks_total 0',
      'cbp_idempotency_replays_total 1',
      'cbp_webhook_delivered_total 0',
      'cbp_webhook_backlog 0',
      'cbp_webhook_oldest_due_age_seconds 0',
      'cbp_webhook_disabled_subscriptions 0',
      'cbp_consumer_applied_total{consumer="webhooks"} 0',
      'cbp_dead_letters 0',
      'cbp_payment_service_call_errors_total',
    ]) {
      expect(text).toContain(name)
    }
  })

  it('leaves gaps for what a store does not tell', async () => {
    const away = () => errAsync({ kind: 'store-unavailable', reason: 'gone' }) as never
    const { paymentStore, webhookStore, deadLetterStore } = fakeStore(systemClock)
    const { call } = await openApp({
      ports: {
        paymentStore: { ...paymentStore, totals: away },
        webhookStore: { ...webhookStore, backlog: away },
        deadLetterStore: { ...deadLetterStore, deadCount: away },
      },
    })
    const text = await (await call('GET', '/metrics')).text()
    expect(text).not.toMatch(/^cbp_(payments|open_discrepancies|webhook_backlog|webhook_oldest_due_age_seconds|dead_letters)[ {]/m)
    expect(text).toMatch(/^cbp_outbox_backlog_events 0$/m)
  })

  it('asks for monitoring:read', async () => {
    const { call } = await openApp()
    expect((await call('GET', '/metrics', { headers: { authorization: `Bearer ${await token()}` } })).status).toBe(403)
  })

  it('speaks OpenMetrics when asked', async () => {
    const { call } = await openApp()
    const response = await call('GET', '/metrics', { headers: { accept: 'application/openmetrics-text; version=1.0.0' } })
    expect(response.headers.get('content-type')).toMatch(/^application\/openmetrics-text/)
    const text = await response.text()
    expect(text.endsWith('\n# EOF\n')).toBe(true)
    expect(text).toContain('# TYPE cbp_http_requests counter\n')
  })

  it('keeps the names of samples in OpenMetrics', () => {
    expect(openMetricsOf('# HELP a_total x\n# TYPE a_total counter\na_total 1\n\n# TYPE b gauge\nb 2\n')).toBe(
      '# HELP a x\n# TYPE a counter\na_total 1\n# TYPE b gauge\nb 2\n# EOF\n',
    )
  })
})

describe('every answer', () => {
  it.each(['/health', '/docs', '/nothing', '/config', '/problems/not-found'])('of %s carries an id and secure headers', async (path) => {
    const { app } = await openApp()
    const { headers } = await app.request(path)
    expect(headers.get('x-request-id')).toMatch(/^test-/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  it.each(['has space', 'x'.repeat(129), '<script>'])('replaces the request id %j', async (given) => {
    const { app } = await openApp()
    expect((await app.request('/health', { headers: { 'x-request-id': given } })).headers.get('x-request-id')).toMatch(/^test-/)
  })

  it('is logged once, with route, status and client', async () => {
    const { call, records } = await openApp()
    await put(call, '/config/payments/a', 1)
    expect(records).toMatchObject([
      { method: 'PUT', route: '/config/{component}/{key}', status: 201, client: 'https://issuer.test|tester', requestId: 'test-1' },
    ])
  })
})

describe('the listener', () => {
  async function send(server: TestServer, text: string): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port: server.listening.port })
    socket.write(text)
    let answer = ''
    for await (const chunk of socket.setEncoding('utf8')) answer += chunk
    return answer
  }

  it.each([
    ['no HTTP', 'nonsense\r\n\r\n', 400, 'bad-request'],
    ['a header too large', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'header-too-large'],
    ['a bad host', 'GET /health HTTP/1.1\r\nhost: a b\r\n\r\n', 400, 'bad-request'],
  ])('answers %s with a problem', async (_name, text, status, code) => {
    const answer = await send(await openServer(), text)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer).toMatch(/^content-type: application\/problem\+json\r$/im)
    expect(answer).toMatch(/^x-request-id: /im)
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4).replace(/^[0-9a-f]+\r\n([\s\S]*)\r\n0\r\n\r\n$/, '$1'))).toMatchObject({
      code,
      status,
    })
  })

  it('answers an expectation that it does not know, and logs it', async () => {
    const server = await openServer()
    const answer = await send(server, 'GET /health?x=1 HTTP/1.1\r\nhost: x\r\nexpect: foo\r\nx-request-id: mine\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 417 /)
    expect(answer).toMatch(/^x-request-id: mine\r$/im)
    expect(answer).toMatch(/^x-frame-options: DENY\r$/im)
    expect(answer).toContain('"instance":"/health","code":"expectation-failed"')
    expect(server.records).toMatchObject([{ status: 417, method: 'GET', path: '/health', route: 'unmatched' }])
  })

  it('gives up on a body that does not arrive', async () => {
    const server = await openServer({ bodyDeadlineMs: 50 })
    const head = `PUT /config/payments/a HTTP/1.1\r\nhost: x\r\nif-none-match: *\r\ncontent-type: application/json\r\nauthorization: Bearer ${await token()}\r\n`
    for (const framing of ['content-length: 30\r\n\r\n{"value"', 'transfer-encoding: chunked\r\n\r\n8\r\n{"value"\r\n']) {
      const answer = await send(server, head + framing)
      expect(answer).toMatch(/^HTTP\/1.1 408 /)
      expect(answer).toContain('"code":"request-timeout"')
    }
  })

  it('reads a body in chunks up to its limit', async () => {
    const server = await openServer()
    const { authorization } = { authorization: `Bearer ${await token()}` }
    const head = `PUT /config/payments/a HTTP/1.1\r\nhost: x\r\nconnection: close\r\nif-none-match: *\r\ncontent-type: application/json\r\nauthorization: ${authorization}\r\ntransfer-encoding: chunked\r\n\r\n`
    expect(await send(server, `${head}b\r\n{"value":1,\r\ne\r\n"reason":"now"\r\n1\r\n}\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1.1 201 /)
    const big = 'x'.repeat(0x20000)
    expect(await send(server, head + `20000\r\n${big}\r\n`.repeat(9))).toMatch(/^HTTP\/1.1 413 /)
  })

  it('answers in the fast lane just as the app does', async () => {
    const server = await openServer()
    await put(server.call, '/config/payments/big', 'x'.repeat(3000))
    await put(server.call, '/config/payments/a?scope=/production', { a: [1, 'ü'] })
    const good = { authorization: `Bearer ${await token()}` }
    const targets = [
      'a?scope=/production',
      'a?scope=%2Fproduction',
      'a',
      'big',
      'a?raw=true&scope=/production',
      'a?scope=x',
      'a?x=1',
      'A',
      '-',
      'versions',
      'a?asOf=1&scope=/production',
    ]
    const fields: Record<string, string>[] = [
      good,
      {},
      { authorization: 'Bearer x' },
      { ...good, 'accept-encoding': 'gzip' },
      { ...good, 'if-none-match': '*' },
      { ...good, 'if-none-match': 'x' },
    ]
    for (const target of targets) {
      for (const headers of fields) {
        const path = `/config/payments/${target}`
        const [lane, app] = await Promise.all([
          fetch(server.url + path, { headers: { 'accept-encoding': 'identity', ...headers, 'x-request-id': 'same' } }),
          server.app.request(path, { headers: { ...headers, 'x-request-id': 'same' } }),
        ])
        const kept = (response: Response): unknown =>
          [...response.headers].filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name))
        expect([path, lane.status, kept(lane)]).toEqual([path, app.status, kept(app)])
        if (!('accept-encoding' in headers)) expect(await lane.text()).toBe(await app.text())
      }
    }
  })

  it('answers payments in the fast lane just as the app does', async () => {
    const server = await openServer()
    const { id } = await createdPayment(server.call)
    const good = { authorization: `Bearer ${await token({ scope: 'admin' })}` }
    const json = { ...good, 'content-type': 'application/json', 'idempotency-key': 'kept' }
    const raw = JSON.stringify(bill)
    await postPayment(server.call, bill, { 'idempotency-key': 'kept' })
    const requests: [string, string, Record<string, string>, string?][] = [
      ['POST', '/payments', json, raw],
      ['POST', '/payments?x=1', json, raw],
      ['POST', '/payments', json, '{"amount"'],
      ['POST', '/payments', json, ''],
      ['POST', '/payments', { ...json, 'content-type': 'text/plain' }, raw],
      ['POST', '/payments', { ...json, 'idempotency-key': '' }, raw],
      ['POST', '/payments', json, `"${'x'.repeat(1_048_576)}"`],
      ['POST', '/payments', {}, raw],
      ['POST', `/payments/${id}/process`, good],
      ['POST', `/payments/${id.toUpperCase()}/process`, good],
      ['GET', `/payments/${id}`, good],
      ['GET', `/payments/${id}`, { ...good, 'if-none-match': '"1"' }],
      ['GET', `/payments/${id}/status?x=1`, good],
      ['GET', '/payments/x', good],
      ['POST', '/webhooks/payment-status', {}, raw],
      ['POST', '/webhooks/payment-status', {}, 'x'.repeat(70_000)],
    ]
    for (const [method, path, headers, body] of requests) {
      const init = { method, headers: { 'accept-encoding': 'identity', ...headers, 'x-request-id': 'same' }, body: body ?? null }
      const [lane, app] = [await fetch(server.url + path, init), await server.app.request(path, init)]
      const kept = (response: Response): unknown =>
        [...response.headers].filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name))
      expect([method, path, lane.status, kept(lane)]).toEqual([method, path, app.status, kept(app)])
      expect(await lane.text()).toBe(await app.text())
    }
  })

  it('reads a payment in chunks, and gives up on one that does not arrive', async () => {
    const server = await openServer({ bodyDeadlineMs: 200 })
    const { host } = new URL(server.url)
    const fields = `host: ${host}\r\nconnection: close\r\nidempotency-key: chunks\r\ncontent-type: application/json\r\nauthorization: Bearer ${await token({ scope: 'admin' })}\r\n`
    const [first, second] = [JSON.stringify(bill).slice(0, 20), JSON.stringify(bill).slice(20)]
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
    const head = `POST /payments HTTP/1.1\r\n${fields}transfer-encoding: chunked\r\n\r\n`
    expect(await send(server, head + chunk(first) + chunk(second) + chunk(''))).toMatch(/^HTTP\/1.1 201 /)
    expect(await send(server, head + chunk(first))).toMatch(/^HTTP\/1.1 408 /)
    expect(await send(server, head + chunk('x'.repeat(0x20000)).repeat(9))).toMatch(/^HTTP\/1.1 413 /)
    expect(await send(server, `POST /payments HTTP/1.1\r\n${fields}content-length: 1048577\r\n\r\n{`)).toMatch(/^HTTP\/1.1 413 /)
  })

  it('lets an answer under way finish at a shutdown, and closes the connection after it', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const { deps } = await openApp()
    const server = await openServer({ health: { ...deps.health, cache: async () => held.then(deps.health.cache) } })
    const answer = fetch(`${server.url}/health/cache`)
    await new Promise((resolve) => setTimeout(resolve, 30))
    const closing = server.listening.close()
    release()
    const response = await answer
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close'])
    await closing
    await expect(fetch(`${server.url}/health`)).rejects.toThrow()
  })
})
