import { err, ok, type Result, safeTry } from 'neverthrow'
import type { Failure } from '../output/failure.ts'
import { moneyText } from '../output/money.ts'
import { plain } from '../output/style.ts'
import { failureOfReply, type JsonRequest, type Reply, requestJson, type Service } from '../remote/service.ts'
import { interruption, type Session } from '../session.ts'
import { type Narration, stepFailed, told } from './narration.ts'
import type { Message, Receiver } from './receiver.ts'

/** Everything that the demonstration works with. */
export type Stage = Readonly<{
  session: Session
  service: Service
  receiver: Receiver
  narration: Narration
  /** How long anything is waited for. */
  timeoutMs: number
}>

export const neededScope = 'payments:read payments:write webhooks:read webhooks:write'
const types = ['PAYMENT_CREATED', 'PAYMENT_UPDATED', 'PAYMENT_COMPLETED', 'PAYMENT_FAILED', 'PAYMENT_DELETED']
const pauseMs = 100
const idForm = /^[\da-f-]{36}$/i

/** Subscribes the receiver; answers the id of its subscription. */
export function subscribe(stage: Stage): Promise<Result<string, Failure>> {
  const { receiver, narration } = stage
  return narration.step('Subscribe to webhooks', async () => {
    const body = { url: receiver.url, types, description: 'cbp demo' }
    const reply = await ask(stage, { method: 'POST', path: '/webhooks/subscriptions', body }, [201])
    if (reply.isErr()) return err(reply.error)
    const { id, secret } = membersOf(reply.value.body)
    if (typeof id !== 'string' || typeof secret !== 'string') return notTheService('The subscription came without id or secret.')
    receiver.trust(secret)
    return told(`${receiver.url} hears of payments; its signing secret was told this once.`, id)
  })
}

/** The payment's way, as in the integration pattern; answers its id. */
export async function payOnce(stage: Stage): Promise<Result<string, Failure>> {
  const { narration } = stage
  return safeTry<string, Failure>(async function* () {
    const id = yield* await createTwice(stage)
    yield* await narration.step('Hear PAYMENT_CREATED', () => hear(stage, 'PAYMENT_CREATED', id))
    yield* await narration.step('Check that it is PENDING', () => statusIs(stage, id, 'PENDING'))
    yield* await narration.step('Process it', () => processIt(stage, id))
    yield* await narration.step('Wait until it is COMPLETED', () => untilCompleted(stage, id))
    yield* await narration.step('Hear PAYMENT_COMPLETED', () => hear(stage, 'PAYMENT_COMPLETED', id))
    yield* await narration.step('Verify it', () => verify(stage, id))
    yield* await narration.step('Read its history', () => history(stage, id))
    return ok(id)
  })
}

export function unsubscribe(stage: Stage, id: string): Promise<Result<null, Failure>> {
  return stage.narration.step('Remove the subscription', async () => {
    const request: JsonRequest = { method: 'DELETE', path: `/webhooks/subscriptions/${encodeURIComponent(id)}`, ignoresCancel: true }
    return (await ask(stage, request, [200, 204])).andThen(() => told('Nothing is left behind but the payment.', null))
  })
}

/** Answers the id of the one payment that there is then. */
async function createTwice(stage: Stage): Promise<Result<string, Failure>> {
  const key = crypto.randomUUID()
  const request: JsonRequest = {
    method: 'POST',
    path: '/payments',
    headers: { 'idempotency-key': key },
    body: {
      amount: 1250,
      currency: 'EUR',
      payee: { id: 'demo-power-company', name: 'Demo Power Company' },
      userId: 'demo-user',
      reference: `demo-${key}`,
    },
  }
  const first = await stage.narration.step('Create a payment', async () => {
    const reply = await ask(stage, request, [201])
    if (reply.isErr()) return err(reply.error)
    const { id, amount, currency } = membersOf(reply.value.body)
    if (typeof id !== 'string' || !idForm.test(id)) return notTheService('The payment came without an id.')
    const sum = moneyText(Number(amount), String(currency))
    return told(`Payment ${id} of ${sum}, with the Idempotency-Key ${key}.`, { id, text: reply.value.text })
  })
  if (first.isErr()) return err(first.error)
  const { id, text } = first.value
  return stage.narration.step('Repeat the request', async () => {
    const again = await ask(stage, request, [201])
    if (again.isErr()) return err(again.error)
    if (again.value.text === text) return told('The same answer, byte for byte: there is one payment.', id)
    return stepFailed('not-idempotent', 'The repeated request was answered otherwise.', 'Look at both with: cbp payment list')
  })
}

async function processIt(stage: Stage, id: string): ReturnType<typeof statusIs> {
  const request: JsonRequest = { method: 'POST', path: pathOf(id, '/process'), headers: { 'idempotency-key': crypto.randomUUID() } }
  const reply = await ask(stage, request, [200, 202])
  return reply.andThen(({ body }) => told(`The Payment Service is instructed; the payment is ${wordOf(body, 'status')}.`, null))
}

async function statusIs(stage: Stage, id: string, expected: string): Promise<Result<Readonly<{ told: string; value: null }>, Failure>> {
  const reply = await ask(stage, { method: 'GET', path: pathOf(id, '/status') }, [200])
  if (reply.isErr()) return err(reply.error)
  const status = wordOf(reply.value.body, 'status')
  if (status === expected) return told(`GET /payments/${id}/status says ${status}.`, null)
  return stepFailed('other-status', `The payment is ${status}, not ${expected}.`, `See what happened with: cbp payment show ${id}`)
}

/** The sandbox settles it, and says so by a signed webhook to the service. */
async function untilCompleted(stage: Stage, id: string): ReturnType<typeof statusIs> {
  const { session, timeoutMs } = stage
  const { clock } = await session.host.waiting()
  const deadline = clock.now() + timeoutMs
  for (;;) {
    const reply = await ask(stage, { method: 'GET', path: pathOf(id, '/status') }, [200])
    if (reply.isErr()) return err(reply.error)
    const status = wordOf(reply.value.body, 'status')
    if (status === 'COMPLETED') return told('The Payment Service reported its end, and the payment is COMPLETED.', null)
    if (status === 'FAILED' || status === 'CANCELLED') return stepFailed('payment-ended', `The payment is ${status}.`, historyHint(id))
    if (clock.now() >= deadline) {
      const detail = `After ${timeoutMs / 1000} s the payment is still ${status}.`
      const check =
        'Does the Payment Service reach POST /webhooks/payment-status of the service, and do both hold one of CBP_WEBHOOK_SECRETS?'
      return stepFailed('not-completed', detail, `${check} ${historyHint(id)}`)
    }
    await clock.sleep(pauseMs, session.io.cancel)
    if (session.io.cancel.aborted) return err(interruption(session.io.cancel))
  }
}

async function hear({ session, receiver, timeoutMs }: Stage, type: string, id: string): ReturnType<typeof statusIs> {
  const { cancel } = session.io
  const matches = (message: Message): boolean => message.type === type && message.payload['id'] === id
  const message = await receiver.hear(matches, AbortSignal.any([cancel, AbortSignal.timeout(timeoutMs)]))
  if (message !== null) {
    return told(`Message ${message.id} says ${String(message.payload['status'])}; its signature is good.`, null)
  }
  if (cancel.aborted) return err(interruption(cancel))
  const fault = receiver.lastFault()
  const detail = `No ${type} was heard within ${timeoutMs / 1000} s.`
  if (fault !== null) return stepFailed('not-heard', detail, `A message came, but ${fault}: do the clocks of both sides agree?`)
  return stepFailed(
    'not-heard',
    detail,
    `Can the service reach ${receiver.url}? It has to run on this machine. See its attempts with: cbp webhook deliveries`,
  )
}

async function verify(stage: Stage, id: string): ReturnType<typeof statusIs> {
  const reply = await ask(stage, { method: 'GET', path: pathOf(id, '/verify') }, [200])
  if (reply.isErr()) return err(reply.error)
  if (membersOf(reply.value.body)['verified'] === true)
    return told(`Here and at the Payment Service it is ${wordOf(reply.value.body, 'remoteStatus')}.`, null)
  return stepFailed('not-verified', 'The Payment Service holds something else.', `See what with: cbp payment verify ${id}`)
}

async function history(stage: Stage, id: string): ReturnType<typeof statusIs> {
  const reply = await ask(stage, { method: 'GET', path: pathOf(id, '/history') }, [200])
  return reply.andThen(({ body }) => {
    const { items } = membersOf(body)
    const entries = (Array.isArray(items) ? items : []).map((entry) => `${wordOf(entry, 'to')} by ${wordOf(entry, 'cause')}`)
    return told(entries.join(', then '), null)
  })
}

/** Asks the service; another answer than those expected fails the step. */
async function ask({ session, service }: Stage, request: JsonRequest, expected: readonly number[]): Promise<Result<Reply, Failure>> {
  const reply = await requestJson(session, service, request)
  if (reply.isErr()) return err(reply.error)
  if (expected.includes(reply.value.status) && (reply.value.body !== null || reply.value.status === 204)) return ok(reply.value)
  const { code, detail, mend } = failureOfReply(service, reply.value)
  const check = reply.value.status === 403 ? `Use a token whose scope holds ${neededScope}, or admin.` : mend
  return stepFailed(code, `${request.method} ${request.path}: ${detail}`, check ?? 'Its log tells more.')
}

function pathOf(id: string, below: string): string {
  return `/payments/${encodeURIComponent(id)}${below}`
}

function historyHint(id: string): string {
  return `See what happened with: cbp payment show ${id}`
}

function membersOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {}
}

function wordOf(body: unknown, name: string): string {
  const value = membersOf(body)[name]
  return typeof value === 'string' ? plain(value) : 'nothing'
}

function notTheService(detail: string): Result<never, Failure> {
  return stepFailed('not-the-service', detail, 'Is --url the address of the Config API?')
}
