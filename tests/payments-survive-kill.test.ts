import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PaymentId } from '@cbp/core'
import { loadDevelopmentKey, mintToken } from '@cbp/http'
import { defaultAudience, developmentIssuer } from '@cbp/http/assembly'
import { openSandboxPaymentService } from '@cbp/http/clients'
import { nodePlatform } from '@cbp/http/platform'
import { afterAll, expect, it, vi } from 'vitest'
import { type RunningService, startService } from './lib/running-service.ts'

const clients = 64
const killsAfterMs = [1500, 900]
const dataDir = mkdtempSync(join(tmpdir(), 'cbp-kill-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

type Answer = Readonly<{ status: number; text: string }>
type Heard = Readonly<{ type: string; payment: string; webhookId: string }>

/** One payment as its client knows it: what was acknowledged, and what has to be asked again with the same keys. */
type Known = { readonly key: string; created: string | null; id: string | null; processed: boolean }

it('L9 L10 L12 L17: kill -9 while 64 clients create and process loses nothing and does nothing twice', { timeout: 180_000 }, async () => {
  const token = await developmentToken()
  const heard: Heard[] = []
  const sink = await listenForWebhooks(heard)
  const known: Known[] = []
  let service = await startService(dataDir)
  const { port } = new URL(service.url)
  await subscribe(service, token, sink)

  for (const [round, killAfterMs] of killsAfterMs.entries()) {
    const storm = runClients(() => service.url, token, known, round, killAfterMs + 300)
    await new Promise((resolve) => setTimeout(resolve, killAfterMs))
    await service.kill()
    await storm
    service = await startService(dataDir, Number(port))
  }
  const acknowledged = known.filter(({ created }) => created !== null).map(({ key, created }) => ({ key, created }))
  expect(acknowledged.length).toBeGreaterThan(clients)

  // The clients whose answers were lost repeat their requests, with the keys that they had.
  await Promise.all(known.map((payment) => finish(service.url, token, payment)))
  for (const { key, created } of acknowledged) expect(known.find((each) => each.key === key)?.created).toBe(created)

  await vi.waitFor(() => everyPaymentIsCompleted(service.url, token, known), { timeout: 60_000, interval: 500 })
  await vi.waitFor(() => everyEventIsHeard(heard, known), { timeout: 60_000, interval: 500 })
  await nothingHappenedTwice(known)
  expect(await service.stop()).toBe(0)
  sink.close()
})

async function developmentToken(): Promise<string> {
  const scope = 'payments:read payments:write webhooks:write'
  const request = { subject: 'storm', scope, expiresInSeconds: 3600, issuer: developmentIssuer, audience: defaultAudience }
  return (await mintToken(await loadDevelopmentKey(dataDir), request)).token
}

async function listenForWebhooks(heard: Heard[]): Promise<Server> {
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { type, payload } = JSON.parse(body) as { type: string; payload: { id: string } }
      heard.push({ type, payment: payload.id, webhookId: String(request.headers['webhook-id']) })
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

async function subscribe({ url }: RunningService, token: string, sink: Server): Promise<void> {
  const { port } = sink.address() as AddressInfo
  const body = { url: `http://127.0.0.1:${port}/hook`, types: ['PAYMENT_CREATED', 'PAYMENT_COMPLETED'] }
  const answer = await post(`${url}/webhooks/subscriptions`, token, null, body)
  expect(answer?.status).toBe(201)
}

/** Every client makes payments and processes them, one after another, and does not care what becomes of the service. */
async function runClients(url: () => string, token: string, known: Known[], round: number, forMs: number): Promise<void> {
  const endsAt = performance.now() + forMs
  const run = async (client: number): Promise<void> => {
    for (let count = 0; performance.now() < endsAt; count += 1) {
      const payment: Known = { key: `storm-${round}-${client}-${count}`, created: null, id: null, processed: false }
      known.push(payment)
      if (!(await create(url(), token, payment)) || !(await process(url(), token, payment))) return
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => run(client)))
}

async function create(url: string, token: string, payment: Known): Promise<boolean> {
  const body = { amount: 100, currency: 'EUR', payee: { id: 'utility-7', name: 'City Power' }, userId: 'user-1', reference: payment.key }
  const answer = await post(`${url}/payments`, token, payment.key, body)
  if (answer?.status !== 201) return false
  payment.created = answer.text
  payment.id = (JSON.parse(answer.text) as { id: string }).id
  return true
}

async function process(url: string, token: string, payment: Known): Promise<boolean> {
  const answer = await post(`${url}/payments/${payment.id}/process`, token, `${payment.key}-process`, null)
  payment.processed = answer?.status === 200 || answer?.status === 202
  return payment.processed
}

async function finish(url: string, token: string, payment: Known): Promise<void> {
  await vi.waitFor(
    async () => {
      if (!(await create(url, token, payment))) throw new Error(`${payment.key} could not be created`)
      // The request before may still hold its lease.
      if (!(await process(url, token, payment))) throw new Error(`${payment.key} could not be processed`)
    },
    { timeout: 60_000, interval: 1000 },
  )
}

/** `null`: no answer. */
async function post(url: string, token: string, key: string | null, body: unknown): Promise<Answer | null> {
  const headers: Record<string, string> = { authorization: `Bearer ${token}` }
  if (key !== null) headers['idempotency-key'] = key
  if (body !== null) headers['content-type'] = 'application/json'
  try {
    const response = await fetch(url, { method: 'POST', headers, ...(body === null ? {} : { body: JSON.stringify(body) }) })
    return { status: response.status, text: await response.text() }
  } catch {
    return null
  }
}

async function everyPaymentIsCompleted(url: string, token: string, known: readonly Known[]): Promise<void> {
  const completed = new Set<string>()
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = `status=COMPLETED&limit=100${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
    const response = await fetch(`${url}/payments?${query}`, { headers: { authorization: `Bearer ${token}` } })
    const page = (await response.json()) as { items: { id: string }[]; nextCursor: string | null }
    for (const { id } of page.items) completed.add(id)
    cursor = page.nextCursor
  }
  expect(known.filter(({ id }) => !completed.has(id ?? ''))).toEqual([])
  expect(completed.size).toBe(known.length)
}

function everyEventIsHeard(heard: readonly Heard[], known: readonly Known[]): void {
  for (const type of ['PAYMENT_CREATED', 'PAYMENT_COMPLETED']) {
    const messages = Map.groupBy(
      heard.filter((each) => each.type === type),
      ({ payment }) => payment,
    )
    expect(known.filter(({ id }) => !messages.has(id ?? ''))).toEqual([])
    // At least once, and what comes again says so by its id.
    for (const copies of messages.values()) expect(new Set(copies.map(({ webhookId }) => webhookId)).size).toBe(1)
  }
}

async function nothingHappenedTwice(known: readonly Known[]): Promise<void> {
  const sandbox = await openSandboxPaymentService({
    ...nodePlatform,
    path: join(dataDir, 'payment-sandbox.sqlite'),
    secrets: () => [],
    callbackUrl: () => null,
    post: () => {
      throw new Error('nothing is sent from here')
    },
    log: { write: () => {} },
  })
  for (const { id } of known) {
    const held = (await sandbox.held(id as PaymentId))._unsafeUnwrap()
    expect({ id, executions: held.executions, amount: held.amount }).toEqual({ id, executions: 1, amount: 100 })
  }
  await sandbox.close()
}
