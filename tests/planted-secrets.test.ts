import { createHmac } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startHost } from '../bench/lib/child.ts'
import { tokenFor } from '../bench/lib/token.ts'
import { hasRedisServer, type RedisServer, startRedis } from '../packages/adapters-redis/tests/redis.ts'

type Place = 'log' | 'metrics' | 'problems' | 'events' | 'deliveries' | 'redis' | `table ${string}`

/** What is planted, and the only places where it may be found again; everywhere else it is a leak. */
const allowed: Readonly<Record<string, readonly Place[]>> = {
  'a bearer token': [],
  'an API key': [],
  'an API key that was replaced': [],
  'the secret of a subscription': [],
  'a secret of a subscription that was replaced': [],
  'the secret of inbound webhooks': [],
  'the key of the key ring': [],
  'the key that signs tokens': [],
  'the password in the URL of Redis': [],
  'the password in the URL of the User Service': [],
  'the value of a setting': ['table versions', 'redis'],
  'a card number in the value of a setting': ['table versions', 'redis'],
  'a card number in the reason of a setting': ['table versions'],
  'a card number in the metadata of a payment': ['table payments', 'table idempotency_keys'],
  'an IBAN as the reference of a payment': ['table payments', 'table payment_references', 'table idempotency_keys'],
  'the name of a payee': ['table payments', 'table idempotency_keys'],
  'the id of a payee': ['table payments', 'table idempotency_keys'],
  'an e-mail address as the user of a payment': ['table payments', 'table idempotency_keys'],
  'a card number in the reason of a cancellation': ['table payment_history'],
  'a card number in a report of the Payment Service': ['table payments', 'table payment_history'],
  'an e-mail address in the description of a subscription': ['table subscriptions'],
  'an e-mail address in the name of an API key': ['table api_keys', 'table audit_records'],
  'a token in the URL of a subscription': ['table subscriptions'],
  'a card number in a path': [],
  'a card number in a query': [],
  'an e-mail address in a header': [],
  'a card number in a body that is refused': [],
}

/** Recognisable, and of the form that such things have: card numbers that pass Luhn's check, an IBAN whose remainder is 1. */
const planted: Record<string, string> = {
  'the password in the URL of Redis': 'planted-redis-password',
  'the password in the URL of the User Service': 'planted-user-service-password',
  'the value of a setting': 'planted-value-of-a-setting',
  'a card number in the value of a setting': '4111111111111111',
  'a card number in the reason of a setting': '4012888888881881',
  'a card number in the metadata of a payment': '5555555555554444',
  'an IBAN as the reference of a payment': 'DE89370400440532013000',
  'the name of a payee': 'Planted Payee Of Waterford',
  'the id of a payee': 'planted-payee-17',
  'an e-mail address as the user of a payment': 'planted.user@payers.example',
  'a card number in the reason of a cancellation': '378282246310005',
  'a card number in a report of the Payment Service': '6011111111111117',
  'an e-mail address in the description of a subscription': 'planted.hook@subscribers.example',
  'an e-mail address in the name of an API key': 'planted.key@owners.example',
  'a token in the URL of a subscription': 'planted-token-of-a-hook',
  'a card number in a path': '4222222222222220',
  'a card number in a query': '5105105105105100',
  'an e-mail address in a header': 'planted.header@callers.example',
  'a card number in a body that is refused': '371449635398431',
}

const found = new Map<Place, string>()
let redis: RedisServer | null = null
let counts: Readonly<Record<string, number>> = {}

type Answer = Readonly<{ status: number; text: string; json: Record<string, unknown> }>
type Send = (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>

/** Every refusal that was answered. What the current state of a thing is belongs to whoever may see it. */
const problems: string[] = []

function sender(url: string, token: string): Send {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const json = response.headers.get('content-type')?.includes('json') === true ? (JSON.parse(text) as Record<string, unknown>) : {}
    if (response.status >= 400) problems.push(JSON.stringify({ ...json, current: undefined, differences: undefined }))
    return { status: response.status, text, json }
  }
}

const at = (name: string): string => planted[name] as string
const create = { 'if-none-match': '*' }

async function setSettings(send: Send): Promise<void> {
  const value = { text: at('the value of a setting'), card: at('a card number in the value of a setting') }
  const reason = `for ${at('a card number in the reason of a setting')}`
  expect((await send('PUT', '/config/payments/planted', { value, reason }, create)).status).toBe(201)
  for (let times = 0; times < 3; times += 1) await send('GET', '/config/payments/planted')
  await send('PUT', '/config/payments/planted', { value, reason }, create)
  await send('DELETE', '/config/payments/planted', undefined, { 'if-match': '"9-x"' })
}

async function makePayments(send: Send): Promise<void> {
  const body = {
    amount: 1250,
    currency: 'USD',
    payee: { id: at('the id of a payee'), name: at('the name of a payee') },
    userId: at('an e-mail address as the user of a payment'),
    reference: at('an IBAN as the reference of a payment'),
    metadata: { note: at('a card number in the metadata of a payment') },
  }
  const key = { 'idempotency-key': 'planted' }
  const made = await send('POST', '/payments', body, key)
  expect(made.status).toBe(201)
  await send('POST', '/payments', { ...body, amount: 1 }, key)
  await send('POST', '/payments', body, { 'idempotency-key': 'planted-2' })
  await send('PATCH', `/payments/${String(made.json['id'])}`, { amount: 3 }, { 'if-match': '"1"' })
  const other = await send('POST', '/payments', { ...body, reference: null }, { 'idempotency-key': 'planted-3' })
  const id = String(other.json['id'])
  expect((await send('POST', `/payments/${id}/process`, undefined, { 'idempotency-key': 'planted-4' })).status).toBeLessThan(300)
  const reason = encodeURIComponent(at('a card number in the reason of a cancellation'))
  expect((await send('DELETE', `/payments/${String(made.json['id'])}?reason=${reason}`, undefined, { 'if-match': '*' })).status).toBe(200)
}

async function makeSubscriptions(send: Send, sink: string): Promise<void> {
  const body = {
    url: `${sink}?token=${at('a token in the URL of a subscription')}`,
    types: ['PAYMENT_CREATED', 'PAYMENT_UPDATED', 'CONFIG_UPDATED', 'SYSTEM_ALERT'],
    description: `ask ${at('an e-mail address in the description of a subscription')}`,
  }
  const made = await send('POST', '/webhooks/subscriptions', body)
  expect(made.status).toBe(201)
  const id = String(made.json['id'])
  planted['a secret of a subscription that was replaced'] = String(made.json['secret']).replace('whsec_', '')
  const rotated = await send('POST', `/webhooks/subscriptions/${id}/rotate-secret`)
  planted['the secret of a subscription'] = String(rotated.json['secret']).replace('whsec_', '')
  await send('POST', `/webhooks/subscriptions/${id}/test`)
  await send('POST', '/webhooks/subscriptions', { ...body, url: 'http://127.0.0.1:1/?token=x' })
}

async function makeKeys(send: Send, url: string): Promise<void> {
  const body = { name: `till of ${at('an e-mail address in the name of an API key')}`, permissions: ['config:read'] }
  const made = await send('POST', '/api-keys', body)
  expect(made.status).toBe(201)
  const secretOf = (answer: Answer): string => String(answer.json['key']).split('_')[3] ?? ''
  planted['an API key that was replaced'] = secretOf(made)
  const rotated = await send('POST', `/api-keys/${String(made.json['id'])}/rotate`)
  planted['an API key'] = secretOf(rotated)
  for (const answer of [made, rotated]) {
    const key = String(answer.json['key'])
    const asKey = sender(url, key)
    expect((await asKey('GET', '/config/payments')).status).toBe(200)
    await asKey('GET', '/audit')
    await sender(url, `${key.slice(0, -3)}xyz`)('GET', '/config')
    await asKey('GET', `/config/${key}?key=${key}`)
  }
}

/** Every operation of the document, refused in several ways with something planted in each place. */
async function driveEveryRoute(send: Send, url: string, token: string): Promise<number> {
  const document = (await send('GET', '/openapi.json')).json as { paths: Record<string, Record<string, unknown>> }
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => [method.toUpperCase(), path] as const),
  )
  const [inPath, inQuery, inHeader, inBody] = [
    at('a card number in a path'),
    at('a card number in a query'),
    at('an e-mail address in a header'),
    at('a card number in a body that is refused'),
  ]
  const headers = {
    'user-agent': inHeader,
    referer: `https://${inHeader}/`,
    from: inHeader,
    'idempotency-key': `"${inHeader}"`,
    'if-match': `"${inHeader}`,
  }
  for (const [method, path] of routes) {
    const target = path.replaceAll(/\{\w+\}/g, inPath)
    const body =
      method === 'GET' || method === 'DELETE' ? undefined : { [inBody]: inBody, value: inBody, userId: 1, amount: inBody, name: [inBody] }
    if (path === '/config/watch') continue
    await send(method, `${target}?${inQuery}=${inQuery}&limit=${inQuery}&scope=${inQuery}&cursor=${inQuery}`, body, headers)
    await send(method, target, body, headers)
    await send(method, `${target}/${inPath}`, body)
    await send(method, `${target}?token=${token}`, body === undefined ? undefined : `{"card": ${inBody}, "token": "${token}`)
    await sender(url, token.slice(0, -4))(method, target, body)
    await sender(url, 'x')(method, target, body, { 'x-api-key': planted['an API key'] ?? '' })
  }
  return routes.length
}

/** As the Payment Service reports, signed with the secret that it shares with this service. */
async function report(send: Send, secret: string): Promise<void> {
  const page = (await send('GET', '/payments?limit=10')).json as unknown as { items: { id: string; status: string }[] }
  for (const { id } of page.items) {
    const body = JSON.stringify({
      paymentId: id,
      status: 'FAILED',
      occurredAt: new Date().toISOString(),
      reason: `card ${at('a card number in a report of the Payment Service')} refused`,
    })
    const [name, time] = [`msg-${id}`, String(Math.floor(Date.now() / 1000))]
    const mac = createHmac('sha256', Buffer.from(secret, 'base64')).update(`${name}.${time}.${body}`).digest('base64')
    const fields = { 'webhook-id': name, 'webhook-timestamp': time, 'webhook-signature': `v1,${mac}` }
    expect((await send('POST', '/webhooks/payment-status', body, fields)).status).toBe(200)
    await send('POST', '/webhooks/payment-status', body, { ...fields, 'webhook-signature': `v1,${secret}` })
  }
}

function readTables(path: string): void {
  const database = new DatabaseSync(path, { readOnly: true })
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as { name: string }[]
  for (const { name } of tables) {
    const rows = JSON.stringify(database.prepare(`SELECT * FROM [${name}]`).all(), (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    found.set(name === 'events' ? 'events' : `table ${name}`, rows)
  }
  database.close()
}

async function readRedis({ admin }: RedisServer): Promise<void> {
  const texts: string[] = []
  for (const key of await admin.keys('*')) {
    const type = await admin.type(key)
    const read =
      type === 'string'
        ? await admin.get(key)
        : type === 'hash'
          ? await admin.hgetall(key)
          : type === 'zset'
            ? await admin.call('ZRANGE', key, '0', '-1')
            : type
    texts.push(key, JSON.stringify(read))
  }
  found.set('redis', texts.join('\n'))
}

/** The service as a process of its own, over SQLite and, where there is one, Redis. */
async function run(dataDir: string, sink: string): Promise<void> {
  const log = join(dataDir, 'stderr.txt')
  const environment: Record<string, string> = {
    CBP_LOG_LEVEL: 'debug',
    CBP_USER_SERVICE_URL: `http://planted:${at('the password in the URL of the User Service')}@127.0.0.1:1`,
  }
  if (redis !== null) environment['CBP_REDIS_URL'] = `redis://default:${at('the password in the URL of Redis')}@127.0.0.1:${redis.port}`
  await using host = await startHost(dataDir, { log, environment })
  const token = await tokenFor(dataDir, 'admin')
  planted['a bearer token'] = token.split('.')[2] ?? ''
  const send = sender(host.url, token)
  await makeSubscriptions(send, sink)
  await setSettings(send)
  await makePayments(send)
  await makeKeys(send, host.url)
  readKeyFiles(dataDir)
  await report(send, at('the secret of inbound webhooks'))
  counts = { routes: await driveEveryRoute(send, host.url, token) }
  // Nobody is there, and what is said of that must not tell how it was asked.
  expect((await send('GET', '/users/verify')).status).toBeGreaterThan(0)
  await vi.waitFor(() => expect(deliveries.length).toBeGreaterThan(3), { timeout: 20_000 })
  found.set('metrics', (await send('GET', '/metrics')).text)
  if (redis !== null) await readRedis(redis)
  await host.stop()
  found.set('log', readFileSync(log, 'utf8'))
  found.set('problems', problems.join('\n'))
  found.set('deliveries', deliveries.join('\n'))
  readTables(join(dataDir, 'cbp.sqlite'))
  files = readdirSync(dataDir)
    .filter((name) => name.startsWith('cbp.sqlite'))
    .map((name) => readFileSync(join(dataDir, name)))
}

function readKeyFiles(dataDir: string): void {
  const read = (name: string): string => readFileSync(join(dataDir, name), 'utf8')
  planted['the secret of inbound webhooks'] = read('webhook-secret').trim().replace('whsec_', '')
  planted['the key that signs tokens'] = (JSON.parse(read('development-signing-key.json')) as { d: string }).d
  planted['the key of the key ring'] = /[\w+/-]{40,}=*/.exec(read('keyring.json'))?.[0] ?? ''
}

const deliveries: string[] = []
let files: readonly Buffer[] = []
let dataDir = ''

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'cbp-planted-'))
  redis = hasRedisServer() ? await startRedis() : null
  const sink = createServer((request, response) => {
    request.setEncoding('utf8')
    let body = ''
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      deliveries.push(`${JSON.stringify(request.headers)} ${body}`)
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  try {
    await run(dataDir, `http://127.0.0.1:${(sink.address() as AddressInfo).port}/hook`)
  } finally {
    sink.close()
    sink.closeAllConnections()
  }
}, 120_000)

afterAll(async () => {
  await redis?.stop()
  await rm(dataDir, { recursive: true, force: true })
})

describe('what was planted', () => {
  it('was planted by every route, and looked for in every place', () => {
    expect(Object.keys(planted).toSorted()).toEqual(Object.keys(allowed).toSorted())
    expect(Object.values(planted).filter((text) => text.length < 12)).toEqual([])
    expect(counts['routes']).toBeGreaterThan(50)
    expect(problems.length).toBeGreaterThan(200)
    expect([...found.keys()]).toEqual(
      expect.arrayContaining(['log', 'metrics', 'problems', 'events', 'deliveries', 'table payments', 'table api_keys']),
    )
    for (const [place, text] of found)
      if (place === 'log' || place === 'metrics' || place === 'events') expect(text.length).toBeGreaterThan(500)
  })

  it.each(Object.keys(allowed))('%s is found where it may be, and nowhere else', (name) => {
    const text = at(name)
    const places = [...found].filter(([, content]) => content.includes(text)).map(([place]) => place)
    expect(places.filter((place) => !allowed[name]?.includes(place))).toEqual([])
    // Otherwise this would find nothing because it looks for the wrong thing.
    const tables = allowed[name]?.filter((place) => place.startsWith('table ')) ?? []
    if (tables.length > 0) expect(places).toEqual(expect.arrayContaining([tables[0]]))
  })

  it.each(
    Object.entries(allowed)
      .filter(([, places]) => places.length === 0)
      .map(([name]) => name),
  )('%s is nowhere in the bytes of the database', (name) => {
    expect(files.length).toBeGreaterThan(0)
    const forms = [
      at(name),
      Buffer.from(at(name)).toString('base64').slice(0, -4),
      Buffer.from(at(name)).toString('hex'),
      encodeURIComponent(at(name)),
    ]
    for (const bytes of files) for (const form of forms) expect(bytes.includes(form)).toBe(false)
  })

  it.skipIf(!hasRedisServer())('was looked for in a cache that holds something', () => {
    expect(found.get('redis')).toContain(at('the value of a setting'))
  })

  it('reaches subscribers as the shapes on the wire, with no value of any setting', () => {
    expect(deliveries.some((text) => text.includes('CONFIG_UPDATED'))).toBe(true)
    expect(deliveries.some((text) => text.includes('PAYMENT_CREATED'))).toBe(true)
  })
})
