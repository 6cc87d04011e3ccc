import { createHmac, timingSafeEqual } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Currency, Instruction, Mac, PaymentService, RemotePayment, Uuid, WebhookRequest, WebhookTransport } from '@cbp/core'
import { anyTraceparent, anyUuid, type FakeClock, fakeClock, fakeEpochStart, fakeIds, fakeLog, fakeRandom } from '@cbp/core/testing'
import fc from 'fast-check'
import { okAsync } from 'neverthrow'
import { onTestFinished } from 'vitest'
import {
  openSandboxPaymentService,
  type SandboxOptions,
  type SandboxPaymentService,
} from '../src/clients/payment-service/sandbox/sandbox-payment-service.ts'
import { instructionBody, problemCodes } from '../src/clients/payment-service/wire.ts'

const nodeMacForTests: Mac = {
  hmacSha256: (key, message) => createHmac('sha256', Buffer.from(key, 'base64')).update(message, 'utf8').digest('base64'),
  equal: (left, right) => left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right)),
}

export const webhookSecret: string = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

const ids = fakeIds()

/** An instruction that nobody has given before; `mode` steers the sandbox. */
export function instruction(mode: string | null = null, given: Partial<Instruction> = {}): Instruction {
  return {
    paymentId: ids.next(),
    attemptId: ids.next(),
    amount: 1250,
    currency: 'USD' as Currency,
    payee: { id: 'payee-77', name: 'Ada Lovelace' },
    userId: 'user-1',
    reference: null,
    metadata: mode === null ? {} : { sandbox: mode },
    notAfter: fakeEpochStart + 60_000,
    traceparent: null,
    ...given,
  }
}

export const anyInstruction: fc.Arbitrary<Instruction> = fc.record({
  paymentId: anyUuid,
  attemptId: anyUuid,
  amount: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 }),
  currency: fc.constantFrom('USD', 'EUR', 'JPY').map((code) => code as Currency),
  payee: fc.record({ id: fc.string({ unit: 'grapheme' }), name: fc.string({ unit: 'grapheme' }) }),
  userId: fc.string({ unit: 'grapheme' }),
  reference: fc.option(fc.string({ unit: 'grapheme' })),
  metadata: fc
    .dictionary(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), fc.string(), { noNullPrototype: true })
    .chain((metadata) =>
      fc
        .constantFrom('completes', 'completes-at-once', 'fails', 'refuses', 'wrong-amount', 'reverses', 'webhook-never', 'no such mode')
        .map((sandbox) => ({ ...metadata, sandbox })),
    ),
  notAfter: fc.integer({ min: fakeEpochStart - 1000, max: fakeEpochStart + 100_000 }),
  traceparent: fc.option(anyTraceparent),
})

export async function temporaryPath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cbp-sandbox-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'payment-sandbox.sqlite')
}

/** Virtual time that lets real files and sockets of this turn do their work. */
export function clockOverFiles(): FakeClock {
  return fakeClock({
    drain: async () => {
      for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    },
  })
}

export type Posted = Readonly<{ id: string; at: number; request: WebhookRequest; status: string; occurredAt: string }>

/** A receiver that keeps what it is sent and answers what it is told to, 200 in the end. */
export function receiver(now: () => number, ...answers: readonly number[]): { post: WebhookTransport['post']; posted: Posted[] } {
  const posted: Posted[] = []
  const left = [...answers]
  return {
    posted,
    post: (request) => {
      const { status, occurredAt } = JSON.parse(request.body) as { status: string; occurredAt: string }
      posted.push({ id: request.headers['webhook-id'] ?? '', at: now(), request, status, occurredAt })
      return okAsync({ status: left.shift() ?? 200, retryAfterMs: null, body: '' })
    },
  }
}

export async function openSandbox(given: Partial<SandboxOptions> = {}): Promise<SandboxPaymentService> {
  const clock = given.clock ?? clockOverFiles()
  const sandbox = await openSandboxPaymentService({
    path: given.path ?? (await temporaryPath()),
    clock,
    random: fakeRandom(1),
    mac: nodeMacForTests,
    secrets: () => [webhookSecret],
    callbackUrl: () => 'http://127.0.0.1:1/webhooks/payment-status',
    post: receiver(() => clock.now()).post,
    log: fakeLog(),
    ...given,
  })
  onTestFinished(() => sandbox.close())
  return sandbox
}

export type SeenRequest = Readonly<{ method: string; url: string; headers: IncomingMessage['headers'] }>

export async function serve(
  handle: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
): Promise<Readonly<{ url: string; seen: SeenRequest[] }>> {
  const seen: SeenRequest[] = []
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
    void handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

/** The interface as it is written down, over any PaymentService. Silence is a connection that is cut. */
export function overHttp(service: PaymentService): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const attemptId = (request.url?.match(/^\/base\/attempts\/([0-9a-f-]{36})$/)?.[1] ?? '') as Uuid
    if (attemptId === '') return answer(response, 404, { message: 'no such page' })
    if (request.method === 'GET') {
      const found = await service.find(attemptId)
      if (found.isErr()) return void response.destroy()
      return found.value === null ? problem(response, 404, problemCodes.unknownAttempt) : answer(response, 200, found.value)
    }
    const body = instructionBody.safeParse(JSON.parse(await textOf(request)))
    if (!body.success || request.headers['idempotency-key'] !== attemptId) return problem(response, 400, 'invalid-request')
    const { notAfter, currency, paymentId, ...rest } = body.data
    const traceparent = (request.headers['traceparent'] as string | undefined) ?? null
    const given = { ...rest, attemptId, paymentId: paymentId as Uuid, currency: currency as Currency, traceparent }
    const done = await service.instruct({ ...given, notAfter: Date.parse(notAfter) })
    if (done.isOk()) return answer(response, done.value.status === 'PROCESSING' ? 202 : 200, done.value)
    if (done.error.kind === 'instruction-refused') return problem(response, 422, problemCodes.refused, done.error.reason)
    response.destroy()
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

export function answer(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

export function problem(response: ServerResponse, status: number, code: string, detail?: string): void {
  response
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ type: `/problems/${code}`, status, code, ...(detail === undefined ? {} : { detail }), added: 'later' }))
}

/** What a Payment Service holds of `given`, with what a test cares about. */
export function heldAs(given: Instruction, more: Partial<RemotePayment> = {}): RemotePayment {
  const { attemptId, paymentId, amount, currency } = given
  return { attemptId, paymentId, status: 'PROCESSING', amount, currency, reference: null, reason: null, ...more }
}
