import { type Core, cancelSource, createCore, type Payment, type WebhookTransport } from '@cbp/core'
import { type FakeClock, fakeInboundSecret, fakePorts } from '@cbp/core/testing'
import { okAsync } from 'neverthrow'
import { expect, it, onTestFinished } from 'vitest'
import { clockOverFiles, openSandbox, temporaryPath } from '../../../../tests/payment-service.ts'
import { type SandboxMode, sandboxModes } from './modes.ts'

/** The state in which a payment of each mode ends, and the discrepancies that stay open. */
const ends: Readonly<Record<SandboxMode, readonly [status: Payment['status'], open: readonly string[]]>> = {
  completes: ['COMPLETED', []],
  'completes-at-once': ['COMPLETED', []],
  fails: ['FAILED', []],
  refuses: ['FAILED', []],
  'times-out-before': ['COMPLETED', []],
  'times-out-before-always': ['FAILED', []],
  'times-out-after': ['COMPLETED', []],
  'answers-late': ['COMPLETED', []],
  'webhook-twice': ['COMPLETED', []],
  'webhook-out-of-order': ['COMPLETED', []],
  'webhook-never': ['COMPLETED', []],
  'wrong-amount': ['COMPLETED', ['amount']],
  reverses: ['REVERSED', []],
}

const caller = { client: 'issuer|shop', requestId: 'request-1', traceparent: null }
const viewer = { client: caller.client, seesAll: false }

it.each(sandboxModes.map((mode) => [mode, ...ends[mode]] as const))(
  'L8 L9: a payment that %s ends %s',
  async (mode, status, discrepancies) => {
    const clock = clockOverFiles()
    const { core } = await coreOverSandbox(clock)
    const payment = await passing(clock, core, await created(core, mode))
    expect(payment.status).toBe(status)
    const verification = (await core.payments.verify(viewer, payment.id))._unsafeUnwrap()
    expect(verification.discrepancies.map(({ kind }) => kind)).toEqual(discrepancies)
  },
)

/** The whole core with its background work, its Payment Service the sandbox, whose webhooks come in signed. */
async function coreOverSandbox(clock: FakeClock): Promise<Readonly<{ core: Core }>> {
  let core: Core | null = null
  const post: WebhookTransport['post'] = ({ headers, body }) => {
    const named = (name: string): string | null => headers[name] ?? null
    const message = { id: named('webhook-id'), timestamp: named('webhook-timestamp'), signature: named('webhook-signature'), body }
    const received = core?.webhooks.receivePaymentStatus(message, { ...caller, client: 'payment-service' })
    const answer = (code: number) => ({ status: code, retryAfterMs: null, body: '' })
    return received === undefined ? okAsync(answer(503)) : received.map(() => answer(200)).orElse(() => okAsync(answer(401)))
  }
  const secrets = (): readonly string[] => [fakeInboundSecret]
  const sandbox = await openSandbox({ clock, post, path: await temporaryPath(), secrets })
  core = createCore(fakePorts({ clock, paymentService: sandbox }))
  const { signal, cancel } = cancelSource()
  const running = Promise.all([core.run(signal), sandbox.run(signal)])
  onTestFinished(async () => {
    cancel()
    await clock.advance(60_000)
    await running
  })
  return { core }
}

async function created(core: Core, mode: SandboxMode): Promise<Payment> {
  const details = {
    ...{ amount: 1250, currency: 'EUR' as Payment['currency'], payee: { id: 'utility-7', name: 'City Power' } },
    ...{ userId: 'user-1', reference: null, metadata: { sandbox: mode } },
  }
  const idempotency = { key: 'create', answerOf: JSON.stringify }
  return (await core.payments.create({ details, caller, idempotency }))._unsafeUnwrap().value as Payment
}

/** Processes while time passes, then gives everything three minutes: longer than an attempt may take to begin. */
async function passing(clock: FakeClock, core: Core, { id }: Payment): Promise<Payment> {
  const processed = core.payments.process({ id, viewer, caller, idempotency: { key: 'process', answerOf: JSON.stringify } })
  for (let elapsedMs = 0; elapsedMs < 180_000; elapsedMs += 250) await clock.advance(250)
  expect((await processed).isOk()).toBe(true)
  return (await core.payments.get(viewer, id))._unsafeUnwrap()
}
