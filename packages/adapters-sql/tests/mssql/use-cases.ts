import { type Core, createCore, type LeasedStream, type Payment, type Subscription } from '@cbp/core'
import { fakeIds, fakeInboundSecret, fakeMac, fakePorts } from '@cbp/core/testing'
import type { MssqlStore } from '../../src/index.ts'
import { clock } from '../plain-store.ts'

const ids = fakeIds({ clock })

const caller = { client: 'https://issuer.example|shop', requestId: 'request-1', traceparent: null } as const
const viewer = { client: caller.client, seesAll: false }
const reach = { allClients: false, system: false }

export type UseCases = ReturnType<typeof paymentCases> & ReturnType<typeof settingCases> & ReturnType<typeof webhookCases> & StoreCases

type StoreCases = ReturnType<typeof storeCases>

/** Use cases as a host calls them, over a store of SQL Server and the real time; everything else is in memory. */
export function useCases(store: MssqlStore): UseCases {
  const core = createCore(fakePorts({ ...store, clock }))
  return { ...settingCases(core), ...paymentCases(core), ...webhookCases(core), ...storeCases(store) }
}

function settingCases(core: Core) {
  const write = (key: string, version: number, scope = '/', component = 'payments') =>
    ({
      component: component as never,
      key: key as never,
      scope: scope as never,
      precondition: version === 0 ? ({ kind: 'absent' } as const) : ({ kind: 'version', version } as const),
      reason: 'test',
      caller,
    }) as const
  return {
    core,
    put: async (key: string, version = 0) => (await core.config.put({ ...write(key, version), value: { limit: version } }))._unsafeUnwrap(),
    rollback: async (key: string, version: number) =>
      (await core.config.rollback({ ...write(key, version), toVersion: 1 }))._unsafeUnwrap(),
    unset: async (key: string, version: number) => (await core.config.unset(write(key, version)))._unsafeUnwrap(),
    putTunable: async () =>
      (await core.config.put({ ...write('relay.lease-ms', 0, '/production/first-cu', 'delivery'), value: 10_000 }))._unsafeUnwrap(),
  }
}

function paymentCases(core: Core) {
  const details = (reference: string | null) =>
    ({ amount: 1999, currency: 'EUR', payee: { id: 'p', name: 'Power & Light' }, userId: 'user', reference, metadata: {} }) as never
  const answerOf = () => '{"created":true}'
  const change = (id: Payment['id']) => ({ id, viewer, caller, match: 'any' }) as const
  return {
    create: async (reference: string | null) =>
      (await core.payments.create({ details: details(reference), caller, idempotency: { key: ids.next(), answerOf } }))._unsafeUnwrap()
        .value ?? fail(),
    process: async (id: Payment['id']) =>
      (await core.payments.process({ id, viewer, caller, idempotency: { key: ids.next(), answerOf } }))._unsafeUnwrap(),
    amend: async (id: Payment['id']) => (await core.payments.amend({ ...change(id), amendment: { amount: 5 } }))._unsafeUnwrap(),
    cancel: async (id: Payment['id']) => (await core.payments.cancel({ ...change(id), reason: null }))._unsafeUnwrap(),
  }
}

function webhookCases(core: Core) {
  const change = (id: Subscription['id']) => ({ id, viewer, caller })
  return {
    receive: async (id: string, paymentId: string) => {
      const body = JSON.stringify({ paymentId, status: 'COMPLETED', occurredAt: new Date(clock.now()).toISOString() })
      const timestamp = String(Math.floor(clock.now() / 1000))
      const signature = `v1,${fakeMac().hmacSha256(fakeInboundSecret.slice('whsec_'.length), `${id}.${timestamp}.${body}`)}`
      return (await core.webhooks.receivePaymentStatus({ id, timestamp, signature, body }, caller))._unsafeUnwrap()
    },
    subscribe: async () => {
      const filter = { statuses: null, components: null }
      const subscribed = { url: 'https://shop.example/hook', description: null, types: ['PAYMENT_CREATED'], filter } as const
      return (await core.webhooks.subscribe({ details: subscribed, reach, caller }))._unsafeUnwrap()
    },
    amendSubscription: async (id: Subscription['id'], amendment: Parameters<Core['webhooks']['amend']>[0]['amendment']) =>
      (await core.webhooks.amend({ ...change(id), version: null, reach, amendment }))._unsafeUnwrap(),
    unsubscribe: async (id: Subscription['id']) => (await core.webhooks.unsubscribe({ ...change(id), version: null }))._unsafeUnwrap(),
    rotate: async (id: Subscription['id']) => (await core.webhooks.rotateSecret(change(id)))._unsafeUnwrap(),
    sendTest: async (id: Subscription['id']) => (await core.webhooks.sendTest(change(id)))._unsafeUnwrap(),
    delivered: async (subscriptionId: Subscription['id']) =>
      (await core.webhooks.deliveries(viewer, { subscriptionId, status: 'delivered' }, null, 100))._unsafeUnwrap().items.length,
  }
}

function storeCases(store: MssqlStore) {
  return {
    snapshot: async () => (await store.configStore.snapshot('payments' as never, ['/' as never], null))._unsafeUnwrap(),
    lease: async () => (await store.outbox.lease({ owner: 'relay', limit: 10, leaseMs: 10_000, eventLimit: 64 }))._unsafeUnwrap(),
    acknowledge: async (leased: readonly LeasedStream[]) =>
      (
        await store.outbox.record(
          leased.map(({ stream, fence, events }) => ({ kind: 'confirmed', stream, fence, through: events.at(-1)?.sequence ?? 0 })),
        )
      )._unsafeUnwrap(),
    dropExpired: async () => (await store.paymentStore.dropExpiredKeys(clock.now() + 10 * 24 * 3_600_000, 500))._unsafeUnwrap(),
  }
}

function fail(): never {
  throw new Error('the payment was made before')
}
