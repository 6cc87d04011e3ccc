import type fc from 'fast-check'
import type { Caller } from '../../kernel/caller.ts'
import { cancelSource } from '../../kernel/cancel.ts'
import { type FakeClock, fakeClock } from '../../kernel/testing/fake-clock.ts'
import type { Viewer } from '../../kernel/viewer.ts'
import type { Ports } from '../../ports.ts'
import { type FakePorts, fakePorts } from '../../testing/fake-ports.ts'
import { expectOk } from '../../testing/store-units.ts'
import type { Answered, Idempotency } from '../idempotency.ts'
import type { Currency } from '../money.ts'
import type { HistoryEntry, Payment, PaymentDetails, PaymentId } from '../payment.ts'
import { type CreatePayment, type PaymentsService, type ProcessPayment, paymentsService } from '../payments-service.ts'
import { type FakePaymentService, fakePaymentService, type RemoteBehaviour, type RemoteChange } from './fake-payment-service.ts'

export const caller: Caller = { client: 'issuer|tester', requestId: 'request-1', traceparent: null }
export const viewer: Viewer = { client: caller.client, seesAll: false }

export const details: PaymentDetails = {
  amount: 1250,
  currency: 'EUR' as Currency,
  payee: { id: 'utility-7', name: 'City Power' },
  userId: 'user-1',
  reference: null,
  metadata: { invoice: '2026-01' },
}

/** As a host would answer; no two payments and no two states of one are answered alike. */
export function idempotency(key: string): Idempotency<Payment> {
  return { key, answerOf: (payment) => JSON.stringify(payment) }
}

export type PaymentsUnderTest = Readonly<{
  ports: FakePorts
  payments: PaymentsService
  remote: FakePaymentService
  clock: FakeClock
  create: (key: string, given?: Partial<PaymentDetails>, by?: Caller) => ReturnType<CreatePayment>
  /** A new PENDING payment. */
  pending: (given?: Partial<PaymentDetails>) => Promise<Payment>
  process: (id: PaymentId, key?: string) => ReturnType<ProcessPayment>
  /** Processes while time passes, up to a minute. */
  processed: (id: PaymentId, key?: string) => Promise<Awaited<ReturnType<ProcessPayment>>>
  payment: (id: PaymentId) => Promise<Payment>
  history: (id: PaymentId) => Promise<readonly HistoryEntry[]>
  eventTypes: (id: PaymentId) => Promise<readonly string[]>
  openDiscrepancies: (id: PaymentId) => Promise<readonly string[]>
  /** Starts the reconciler; returns how to stop it. */
  start: () => () => Promise<void>
}>

type Options = Readonly<{
  clock?: FakeClock
  behaviourOf?: (sending: number, paymentId: PaymentId) => RemoteBehaviour
  portsFrom?: (fakes: FakePorts) => Ports
  onStatus?: (change: RemoteChange) => void
}>

/** The context over fakes, or over ports made of them. */
export function paymentsUnderTest({
  clock = fakeClock(),
  behaviourOf,
  portsFrom = (fakes) => fakes,
  onStatus = () => {},
}: Options = {}): PaymentsUnderTest {
  const remote = fakePaymentService({
    clock,
    onStatus,
    behaviourOf: ({ paymentId }, sending) => behaviourOf?.(sending, paymentId) ?? { kind: 'completes', afterMs: 0 },
  })
  const ports = fakePorts({ clock, paymentService: remote })
  const payments = paymentsService(portsFrom(ports))
  const { paymentStore, outbox } = ports
  let keys = 0
  const create: PaymentsUnderTest['create'] = (key, given = {}, by = caller) =>
    payments.create({ details: { ...details, ...given }, caller: by, idempotency: idempotency(key) })
  const process: PaymentsUnderTest['process'] = (id, key = 'process') =>
    payments.process({ id, viewer, caller, idempotency: idempotency(key) })
  return {
    ports,
    payments,
    remote,
    clock,
    create,
    process,
    async pending(given) {
      keys += 1
      return (await expectOk(create(`pending-${keys}`, given))).value as Payment
    },
    processed: (id, key) => whileTimePasses(clock, process(id, key)),
    payment: async (id) => (await expectOk(paymentStore.payment(id))) as Payment,
    history: (id) => expectOk(paymentStore.history(id, 0, 1000)),
    async eventTypes(id) {
      const stream = `payment-${id}` as Parameters<typeof outbox.stream>[0]
      return (await expectOk(outbox.pending([{ stream, after: 0 }], 1000))).map(({ event }) => event.type)
    },
    async openDiscrepancies(id) {
      const all = await expectOk(paymentStore.discrepancies(id))
      return all.filter(({ resolvedAt }) => resolvedAt === null).map(({ kind, ours, theirs }) => `${kind}: ${ours} / ${theirs}`)
    },
    start() {
      const { signal, cancel } = cancelSource()
      const running = payments.reconcile(signal)
      return async () => {
        cancel()
        await clock.advance(60_000)
        await running
      }
    },
  }
}

/** The answer, with as much time as it takes. */
async function whileTimePasses<T>(clock: FakeClock, answer: PromiseLike<T>): Promise<T> {
  let pending = true
  const watched = Promise.resolve(answer).finally(() => {
    pending = false
  })
  for (let waitedMs = 0; pending && waitedMs < 120_000; waitedMs += 100) await clock.advance(100)
  return watched
}

/** The answer, while the scheduler decides what comes back when and time passes for whoever waits to try again. */
export async function raced<T>(scheduler: fc.Scheduler, clock: FakeClock, answer: Promise<T>): Promise<T> {
  let pending = true
  const watched = answer.finally(() => {
    pending = false
  })
  while (pending) {
    while (scheduler.count() > 0) await scheduler.waitOne()
    await clock.advance(10)
  }
  return watched
}

export function paymentOf<T>({ value }: Answered<T>): T {
  if (value === null) throw new Error('a repetition has no value')
  return value
}
