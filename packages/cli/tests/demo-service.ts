import { createHmac, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What goes wrong at a service that is otherwise as it should be. */
export type Defect =
  | 'repeats'
  | 'unsigned'
  | 'silent'
  | 'never-completes'
  | 'fails'
  | 'unverified'
  | 'forbids'
  | 'refuses-target'
  | 'keeps-subscriptions'
  | 'is-another'

/** As much of the service as a demonstration needs, in memory. */
export type DemoService = Readonly<{
  url: string
  subscriptions: () => readonly string[]
  /** The tokens that were shown. */
  tokens: ReadonlySet<string>
  stop: () => Promise<void>
}>

type Payment = Readonly<{ id: string; status: string; amount: number; currency: string }>
type State = {
  readonly defect: Defect | null
  readonly secret: string
  readonly endpoints: Map<string, string>
  readonly answers: Map<string, string>
  readonly tokens: Set<string>
  payment: Payment | null
}
type Reply = readonly [status: number, body: unknown]

export async function demoService(defect: Defect | null = null): Promise<DemoService> {
  const secret = `whsec_${Buffer.from('a secret of 24 bytes----').toString('base64')}`
  const state: State = { defect, secret, endpoints: new Map(), answers: new Map(), tokens: new Set(), payment: null }
  const server = await listening(async (request) => {
    state.tokens.add(request.headers.authorization ?? '')
    return answer(state, `${request.method} ${request.url}`, request, await text(request))
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    subscriptions: () => [...state.endpoints.keys()],
    tokens: state.tokens,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listening(onRequest: (request: IncomingMessage) => Promise<Reply>): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((request, response) => {
      void onRequest(request).then(([status, body]) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body))
      })
    })
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}

function answer(state: State, line: string, request: IncomingMessage, body: string): Reply {
  if (line === 'GET /health') return [200, { status: 'pass', checks: {} }]
  if (line === 'POST /webhooks/subscriptions') return subscribe(state, body)
  if (line.startsWith('DELETE /webhooks/subscriptions/')) {
    if (state.defect === 'keeps-subscriptions') return [500, { code: 'internal', detail: 'A defect.' }]
    state.endpoints.delete(line.split('/').at(-1) ?? '')
    return [204, '']
  }
  if (line === 'POST /payments') return create(state, String(request.headers['idempotency-key']), body)
  const { payment } = state
  if (payment === null || !line.includes(payment.id)) return [404, { code: 'payment-not-found', detail: 'There is none.' }]
  if (line.endsWith('/process')) return processed(state, payment)
  if (line.endsWith('/status')) return [200, payment]
  if (line.endsWith('/verify')) return [200, { verified: state.defect !== 'unverified', status: 'COMPLETED', remoteStatus: 'COMPLETED' }]
  return [200, { items: [{ to: 'PENDING', cause: 'request' }], nextCursor: null }]
}

function subscribe({ defect, secret, endpoints }: State, body: string): Reply {
  if (defect === 'forbids') return [403, { code: 'forbidden', detail: 'The token does not permit webhooks:write.' }]
  if (defect === 'refuses-target') return [422, { code: 'forbidden-target', detail: 'Loopback targets are for development.' }]
  const id = randomUUID()
  endpoints.set(id, (JSON.parse(body) as { url: string }).url)
  return [201, { id, secret }]
}

function create(state: State, key: string, body: string): Reply {
  const known = state.answers.get(key)
  if (known !== undefined && state.defect !== 'repeats') return [201, known]
  if (state.defect === 'is-another') return [201, { id: '\u001b[2J', amount: '\u001b[2J' }]
  const { amount, currency } = JSON.parse(body) as Payment
  state.payment = { id: randomUUID(), status: 'PENDING', amount, currency }
  state.answers.set(key, JSON.stringify(state.payment))
  send(state, 'PAYMENT_CREATED')
  return [201, JSON.stringify(state.payment)]
}

function processed(state: State, payment: Payment): Reply {
  state.payment = { ...payment, status: 'PROCESSING' }
  const end = state.defect === 'fails' ? 'FAILED' : 'COMPLETED'
  if (state.defect !== 'never-completes') {
    setTimeout(() => {
      state.payment = { ...payment, status: end }
      send(state, `PAYMENT_${end}`)
    }, 20)
  }
  return [202, state.payment]
}

function send({ defect, secret, endpoints, payment }: State, type: string): void {
  if (defect === 'silent') return
  const body = JSON.stringify({ type, payload: { id: payment?.id, status: payment?.status } })
  const id = randomUUID()
  const timestamp = String(Math.floor(Date.now() / 1000))
  const key = defect === 'unsigned' ? 'another key' : Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,b2xk v1,${signature}` }
  for (const url of endpoints.values()) void fetch(url, { method: 'POST', headers, body })
}
