import { ok, type ResultAsync, safeTry } from 'neverthrow'
import { auditService } from '../../audit/index.ts'
import { type ReadTunable, tunables } from '../../config/index.ts'
import type { ConsumerDefinition, Delivery, DomainEvent, Stream } from '../../events/index.ts'
import type { Caller } from '../../kernel/caller.ts'
import { cancelSource } from '../../kernel/cancel.ts'
import { type Instant, timestamp } from '../../kernel/clock.ts'
import type { StoreUnavailable } from '../../kernel/failures.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { JsonValue } from '../../kernel/json.ts'
import { type FakeClock, fakeClock } from '../../kernel/testing/fake-clock.ts'
import { fakeIds } from '../../kernel/testing/fake-ids.ts'
import { fakeKeyRing } from '../../kernel/testing/fake-key-ring.ts'
import { type FakeLog, fakeLog } from '../../kernel/testing/fake-log.ts'
import { fakeMac } from '../../kernel/testing/fake-mac.ts'
import { fakeRandom } from '../../kernel/testing/fake-random.ts'
import { fakeSecretSource } from '../../kernel/testing/fake-secret-source.ts'
import { fakeSignals } from '../../kernel/testing/fake-signals.ts'
import { type UnitOfWork, unitOfWork } from '../../kernel/unit-of-work.ts'
import type { Viewer } from '../../kernel/viewer.ts'
import type { ApplyReport, Payment, PaymentStatus } from '../../payments/index.ts'
import { dataKeys } from '../../sealing/index.ts'
import { fakeStore, type StorePorts } from '../../testing/fake-store/fake-store.ts'
import { expectOk } from '../../testing/store-units.ts'
import type { Transaction } from '../../transaction.ts'
import { type WebhookPorts, webhooksService } from '../build-webhooks.ts'
import type { WebhookDelivery } from '../delivery.ts'
import type { DispatcherLimits } from '../dispatcher.ts'
import { fanOut } from '../fan-out.ts'
import type { Lane } from '../lane.ts'
import type { WebhookSecret } from '../webhook-secret.ts'
import type { SubscriptionDetails, WebhooksService, WithSecret } from '../webhooks-service.ts'
import { type FakeWebhookTransport, fakeWebhookTransport } from './fake-webhook-transport.ts'

export const caller: Caller = { client: 'issuer|shop', requestId: 'request-1', traceparent: null }
export const viewer: Viewer = { client: caller.client, seesAll: false }
export const ownReach = { allClients: false, system: false }
export const inboundSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=' as WebhookSecret
export const endpoint = 'https://shop.example/hook'

export const details: SubscriptionDetails = {
  url: endpoint,
  description: null,
  types: ['PAYMENT_CREATED', 'PAYMENT_UPDATED'],
  filter: { statuses: null, components: null },
}

type Ports = Omit<WebhookPorts, 'clock' | 'log' | 'webhookTransport'> &
  StorePorts &
  Readonly<{ clock: FakeClock; log: FakeLog; webhookTransport: FakeWebhookTransport }>

export type WebhooksWorld = Readonly<{
  ports: Ports
  webhooks: WebhooksService
  consumer: ConsumerDefinition
  unitOfWork: UnitOfWork<Transaction>
  /** What the tunables of webhooks are; others are as shipped. */
  settings: { scheduleSeconds: readonly number[]; timeoutMs: number }
}>

const ampleLimits: DispatcherLimits = { lanes: 256, inFlight: 8, page: 64, perLease: 1024 }

export type WorldOptions = Readonly<{ ports?: Partial<WebhookPorts>; limits?: DispatcherLimits; schedule?: readonly number[] }>

/** The context of webhooks alone, over fakes; another instance of the same world is made of its ports. */
export function webhooksWorld({ ports: replaced = {}, limits = ampleLimits, schedule = [0, 1, 2] }: WorldOptions = {}): WebhooksWorld {
  const clock = (replaced.clock as FakeClock | undefined) ?? fakeClock()
  const ports: Ports = {
    clock,
    ids: fakeIds({ clock }),
    random: fakeRandom(1),
    log: fakeLog(),
    signals: fakeSignals(),
    mac: fakeMac(),
    keyRing: fakeKeyRing(),
    secretSource: fakeSecretSource(),
    inboundSecrets: [inboundSecret],
    webhookTransport: fakeWebhookTransport(clock),
    ...fakeStore(clock),
    ...(replaced as Partial<Ports>),
  }
  const settings = { scheduleSeconds: schedule, timeoutMs: 1000 }
  const tunable: ReadTunable = async (asked) => {
    const changed: readonly (readonly [unknown, JsonValue])[] = [
      [tunables.webhookRetryScheduleSeconds, settings.scheduleSeconds],
      [tunables.webhookTimeoutMs, settings.timeoutMs],
    ]
    const value = changed.find(([each]) => each === asked)?.[1] ?? asked.shipped
    return value as typeof asked.shipped
  }
  const units = unitOfWork<Transaction>(ports)
  const audit = auditService({ ...ports, unitOfWork: units, dataKeys: dataKeys({ ...ports, unitOfWork: units }) })
  return {
    ports,
    settings,
    webhooks: webhooksService({ ...ports, tunable, applyReport: countReports, audit }, limits),
    consumer: fanOut({ ...ports, tunable }),
    unitOfWork: units,
  }
}

/** Counts the reports of a payment in its `entries`, so that each effect shows. */
const countReports: ApplyReport = (_deps, tx, { paymentId }) =>
  safeTry(async function* () {
    const payment = yield* tx.payments.find({ id: paymentId })
    if (payment === null) return ok(null)
    tx.payments.update({ ...payment, entries: payment.entries + 1 })
    return ok('effect' as const)
  })

export async function subscribed({ webhooks }: WebhooksWorld, changed: Partial<SubscriptionDetails> = {}): Promise<WithSecret> {
  return expectOk(webhooks.subscribe({ details: { ...details, ...changed }, reach: ownReach, caller }))
}

function payment(id: Uuid, client: string, status: PaymentStatus = 'PENDING'): Payment {
  return {
    id,
    client,
    status,
    version: 1,
    createdAt: 0,
    updatedAt: 0,
    attempt: null,
    failure: null,
    remoteReference: null,
    checkAt: null,
    checks: 0,
    entries: 0,
    amount: 100,
    currency: 'EUR' as Payment['currency'],
    payee: { id: 'p', name: 'Payee' },
    userId: 'u',
    reference: null,
    metadata: {},
  }
}

export async function addPayment(world: WebhooksWorld, client: string = caller.client): Promise<Uuid> {
  const id = world.ports.ids.next()
  await expectOk(
    world.unitOfWork.run((tx) =>
      safeTry(async function* () {
        yield* tx.payments.find({ id })
        tx.payments.insert(payment(id, client))
        return ok(null)
      }),
    ),
  )
  return id
}

let sequence = 0

export function paymentEvent(
  { ports }: WebhooksWorld,
  id: Uuid,
  status: PaymentStatus,
  {
    type = 'PAYMENT_UPDATED',
    occurredAt = ports.clock.now(),
  }: Readonly<{ type?: 'PAYMENT_CREATED' | 'PAYMENT_UPDATED'; occurredAt?: Instant }> = {},
): Delivery {
  return eventOn(ports, `payment-${id}`, { type, payload: { id, status, amount: 100, timestamp: timestamp(occurredAt) } }, occurredAt)
}

export function alert({ ports }: WebhooksWorld, component: string): Delivery {
  const at = ports.clock.now()
  const payload = { component, details: {}, severity: 'INFO', timestamp: timestamp(at) } as const
  return eventOn(ports, 'system', { type: 'SYSTEM_ALERT', payload }, at)
}

function eventOn({ ids }: Ports, stream: string, event: DomainEvent, occurredAt: Instant): Delivery {
  sequence += 1
  return { id: ids.next(), stream: stream as Stream, sequence, event, occurredAt, traceparent: null, replayed: false }
}

/** Lets the fan-out take an event, as the consumer's unit would. */
export async function fan({ unitOfWork: units, consumer }: WebhooksWorld, event: Delivery): Promise<void> {
  await expectOk(units.run((tx) => consumer.apply(tx, event)))
}

/** Queues so many messages for a subscription. */
export async function queueTests({ webhooks }: WebhooksWorld, id: Uuid, count: number): Promise<readonly WebhookDelivery[]> {
  const queued: WebhookDelivery[] = []
  for (let index = 0; index < count; index += 1) queued.push(await expectOk(webhooks.sendTest({ id, viewer, caller })))
  return queued
}

/** Starts the dispatcher; returns how to stop it. */
export function dispatching({ webhooks, ports }: Pick<WebhooksWorld, 'webhooks' | 'ports'>): () => Promise<void> {
  const { signal, cancel } = cancelSource()
  const running = webhooks.dispatch(signal)
  return async () => {
    cancel()
    await ports.clock.advance(120_000)
    await running
  }
}

/** Lets time pass in small steps. */
export async function pass({ ports }: WebhooksWorld, ms: number, stepMs = 250): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) await ports.clock.advance(Math.min(stepMs, ms - passed))
}

export async function deliveriesOf({ ports }: WebhooksWorld): Promise<readonly WebhookDelivery[]> {
  const all = await expectOk(ports.webhookStore.deliveries({ client: null, subscriptionId: null, status: null }, null, 10_000))
  return all.toReversed()
}

/** The lane of a subscription, as committed. */
export async function laneOf({ unitOfWork: units }: WebhooksWorld, subscriptionId: Uuid): Promise<Lane | null> {
  return (await expectOk(units.run((tx) => tx.lanes.find({ subscriptionId })))).value
}

/** Writes to the lane behind the dispatcher's back. */
export async function setLane({ unitOfWork: units }: WebhooksWorld, subscriptionId: Uuid, change: Partial<Lane>): Promise<void> {
  const work = (tx: Transaction): ResultAsync<null, StoreUnavailable> =>
    tx.lanes.find({ subscriptionId }).map((lane) => {
      if (lane !== null) tx.lanes.update({ ...lane, ...change })
      return null
    })
  await expectOk(units.run(work))
}
