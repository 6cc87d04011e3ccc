import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadDevelopmentKey, mintToken } from '@cbp/http'
import { defaultAudience, developmentIssuer } from '@cbp/http/assembly'
import { describe, expect, it } from 'vitest'
import { startHost } from '../bench/lib/child.ts'
import { tokenFor } from '../bench/lib/token.ts'

const forgery = '{"level":"error","time":"2026-01-01T00:00:00.000Z","msg":"forged"}'

/** What would begin a line of its own, or another colour, in somebody's terminal or viewer. */
const injections: Readonly<Record<string, string>> = {
  'line feed': `a\n${forgery}\n`,
  'carriage return and line feed': `a\r\n${forgery}\r\n`,
  'carriage return': `a\r${forgery}`,
  'next line': `a\u0085${forgery}`,
  'line separator': `a\u2028${forgery}`,
  'paragraph separator': `a\u2029${forgery}`,
  'vertical tab and form feed': `a\v\f${forgery}`,
  'end of text': `a\u0000\u0003\u0004${forgery}`,
  'terminal escapes': 'a\u001b[2K\u001b[1A\u001b[31mforged\u001b[0m\u009b31m\u0007',
  'right-to-left override': 'a\u202egpj.exe',
  'end of the JSON': `a"},${forgery},{"b":"`,
  backslashes: 'a\\n\\r\\u000a\\',
}

/** Characters that no line of the log may hold as they are. */
const raw = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u

/** Node's own client takes what can be sent in a field; the rest is sent encoded, as it would be in a path. */
function field(text: string): string {
  return /^[\t\x20-\x7e]*$/.test(text) ? text : encodeURIComponent(text)
}

type Sent = Readonly<{ method: string; path: string; headers: Readonly<Record<string, string>>; body?: unknown }>

function send(url: string, { method, path, headers, body }: Sent): Promise<number> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body)
    const request = httpRequest(
      `${url}${path}`,
      { method, headers: { ...headers, 'content-length': Buffer.byteLength(text) } },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      },
    )
    request.on('error', reject).end(text)
  })
}

function requestsWith(text: string, authorization: string, count: number): readonly Sent[] {
  const encoded = encodeURIComponent(text)
  const headers = { authorization }
  const writing = {
    ...headers,
    'content-type': 'application/json',
    'if-none-match': '*',
    'idempotency-key': `"${encodeURIComponent(text)}"`,
  }
  const payment = {
    amount: 1,
    currency: 'USD',
    payee: { id: text, name: text },
    userId: text,
    reference: `${count}${text}`,
    metadata: { [text]: text },
  }
  const fields = Object.fromEntries(
    ['x-request-id', 'traceparent', 'user-agent', 'x-forwarded-for', 'accept', 'if-none-match', 'last-event-id'].map((name) => [
      name,
      field(text),
    ]),
  )
  return [
    { method: 'GET', path: `/config/payments/${encoded}`, headers },
    { method: 'GET', path: `/${encoded}`, headers },
    { method: 'GET', path: `/events/streams/${encoded}`, headers },
    { method: 'GET', path: `/audit?actor=${encoded}&${encoded}=1`, headers },
    { method: 'GET', path: '/config/payments', headers: { ...headers, ...fields } },
    { method: 'GET', path: '/config/payments', headers: { authorization: `Bearer ${field(text)}` } },
    { method: 'PUT', path: `/config/payments/k${count}`, headers: writing, body: { value: { [text]: text }, reason: text } },
    { method: 'POST', path: '/payments', headers: writing, body: payment },
    {
      method: 'POST',
      path: '/webhooks/subscriptions',
      headers: writing,
      body: { url: `http://127.0.0.1:1/${text}`, types: ['PAYMENT_CREATED'], description: text },
    },
    { method: 'POST', path: '/api-keys', headers: writing, body: { name: text, permissions: ['config:read'] } },
    { method: 'DELETE', path: `/events/dead-letters/01890a5d-ac96-774b-bcce-b302099a8057?reason=${encoded}`, headers },
    {
      method: 'POST',
      path: '/webhooks/payment-status',
      headers: { 'webhook-id': field(text), 'webhook-timestamp': '1', 'webhook-signature': 'v1,x' },
      body: { paymentId: text },
    },
  ]
}

describe('a line of the log', () => {
  it('stays one line of JSON, whatever is sent in path, field, token or body', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'cbp-log-'))
    const log = join(dataDir, 'stderr.txt')
    let sent = 0
    try {
      await using host = await startHost(dataDir, { log, environment: { CBP_LOG_LEVEL: 'debug' } })
      const authorization = `Bearer ${await tokenFor(dataDir, 'admin')}`
      const before = readFileSync(log, 'utf8').split('\n').length
      for (const text of Object.values(injections)) {
        for (const each of requestsWith(text, authorization, sent)) {
          expect(await send(host.url, each)).toBeGreaterThanOrEqual(200)
          sent += 1
        }
        const named = { subject: text, scope: 'admin', expiresInSeconds: 60, issuer: developmentIssuer, audience: defaultAudience }
        const { token } = await mintToken(await loadDevelopmentKey(dataDir), named)
        await send(host.url, { method: 'GET', path: '/config', headers: { authorization: `Bearer ${token}` } })
        sent += 1
      }
      await host.stop()
      const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1)
      expect(lines.filter((line) => raw.test(line))).toEqual([])
      const records = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      expect(records.filter(({ msg }) => msg === 'forged')).toEqual([])
      expect(records.filter(({ level }) => level === 'error')).toEqual([])
      expect(records.filter(({ msg }) => msg === 'request').length).toBeGreaterThanOrEqual(sent)
      expect(lines.length).toBeGreaterThanOrEqual(before - 1 + sent)
      // Ids that are made here are of a form that is never taken for something to be masked.
      const ids = records.flatMap(({ requestId }) => (typeof requestId === 'string' ? [requestId] : []))
      expect(ids.filter((id) => !/^[a-p]{12}-x?[0-9a-z]+$/.test(id))).toEqual([])
    } finally {
      await rm(dataDir, { recursive: true, force: true })
    }
  }, 60_000)
})
