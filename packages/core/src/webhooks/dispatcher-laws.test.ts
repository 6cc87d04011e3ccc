import fc from 'fast-check'
import { errAsync, ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { storeUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import { fakeRandom } from '../kernel/testing/fake-random.ts'
import { type CallFault, type FaultPlan, faultPlan } from '../kernel/testing/faults.ts'
import { faultyTransactions, type TransactionFault } from '../kernel/testing/faulty-transactions.ts'
import { itHolds } from '../kernel/testing/property.ts'
import type { Transactions } from '../kernel/unit-of-work.ts'
import { expectOk } from '../testing/store-units.ts'
import type { Transaction } from '../transaction.ts'
import type { WebhookDelivery } from './delivery.ts'
import type { EndpointAnswer } from './testing/fake-webhook-transport.ts'
import { faultyWebhookStore } from './testing/faulty-webhook-store.ts'
import { faultyWebhookTransport } from './testing/faulty-webhook-transport.ts'
import {
  addPayment,
  caller,
  deliveriesOf,
  dispatching,
  endpoint,
  fan,
  laneOf,
  ownReach,
  pass,
  paymentEvent,
  queueTests,
  setLane,
  subscribed,
  viewer,
  type WebhooksWorld,
  webhooksWorld,
} from './testing/webhooks-under-test.ts'

type Endpoint = Readonly<{ answers: readonly EndpointAnswer[]; messages: number }>

const anyAnswer: fc.Arbitrary<EndpointAnswer> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<EndpointAnswer>(204) },
  { weight: 5, arbitrary: fc.constantFrom<EndpointAnswer>(301, 404, 500, 'hang', 'drop', 'lie', 'forbidden') },
  { weight: 1, arbitrary: fc.constant<EndpointAnswer>(410) },
  { weight: 2, arbitrary: fc.record({ status: fc.constantFrom(200, 429, 503), retryAfterMs: fc.nat(5000), afterMs: fc.nat(1500) }) },
)

const anyEndpoint: fc.Arbitrary<Endpoint> = fc.record({
  answers: fc.array(anyAnswer, { minLength: 1, maxLength: 8 }),
  messages: fc.integer({ min: 0, max: 6 }),
})

const transactionRates = { slow: 0.05, contended: 0.05, unavailable: 0.03, 'lost-before': 0.03, 'lost-after': 0.03, 'lost-late': 0.02 }
const callRates = { slow: 0.1, 'unavailable-before': 0.05, 'unavailable-after': 0.05 }

type Plans = Readonly<{ transactions: FaultPlan<TransactionFault>; calls: FaultPlan<CallFault> }>

/** Another instance on the same store, which meets faults of its own. */
function troubled(world: WebhooksWorld, seed: number): Readonly<{ world: WebhooksWorld; plans: Plans }> {
  const { ports } = world
  const { clock } = ports
  const plans: Plans = {
    transactions: faultPlan<TransactionFault>({ random: fakeRandom(seed), clock, rates: transactionRates }),
    calls: faultPlan<CallFault>({ random: fakeRandom(seed + 1), clock, rates: callRates }),
  }
  const instance = webhooksWorld({
    ports: {
      ...ports,
      random: fakeRandom(seed + 2),
      transactions: faultyTransactions(ports.transactions, plans.transactions),
      webhookStore: faultyWebhookStore(ports.webhookStore, plans.calls),
      webhookTransport: faultyWebhookTransport(ports.webhookTransport, plans.calls),
    },
    limits: { lanes: 2, inFlight: 3, page: 2, perLease: 5 },
  })
  instance.settings.scheduleSeconds = world.settings.scheduleSeconds
  return { world: instance, plans }
}

function checkDelivery(world: WebhooksWorld, delivery: WebhookDelivery): void {
  const { status, attempts, dueAt, endedAt, id, body } = delivery
  expect([dueAt, endedAt !== null, status === 'pending']).toEqual([null, true, false])
  expect(attempts.map(({ number }) => number)).toEqual(attempts.map((_, index) => index + 1))
  const posts = world.ports.webhookTransport.posts.filter(({ headers }) => headers['webhook-id'] === id)
  expect(posts.every((post) => post.body === body)).toBe(true)
  const wasAccepted = attempts.some((attempt) => attempt.status !== null && attempt.status >= 200 && attempt.status < 300)
  if (status === 'delivered') expect([wasAccepted, posts.length > 0]).toEqual([true, true])
  if (status === 'exhausted') expect([wasAccepted, attempts.length]).toEqual([false, world.settings.scheduleSeconds.length])
}

describe('dispatching', () => {
  itHolds(
    'L17: ends every delivery, whatever endpoints answer and two instances go through',
    40,
    fc.asyncProperty(
      fc.array(anyEndpoint, { minLength: 1, maxLength: 4 }),
      fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 4 }),
      fc.integer(),
      async (endpoints, schedule, seed) => {
        const world = webhooksWorld({ schedule })
        const [first, second] = [troubled(world, seed), troubled(world, seed + 10)]
        const stops = [dispatching(first.world), dispatching(second.world)]
        for (const [index, { answers, messages }] of endpoints.entries()) {
          const url = `https://endpoint-${index}.example`
          world.ports.webhookTransport.script(url, answers)
          const { subscription } = await subscribed(world, { url })
          for (let count = 0; count < messages; count += 1) {
            // Disabled by a 410 already: nothing more is queued.
            const queued = world.webhooks.sendTest({ id: subscription.id, viewer, caller })
            let settled = false
            void queued.then(() => {
              settled = true
            })
            while (!settled) await world.ports.clock.advance(20)
          }
        }
        await pass(world, 20_000)
        for (const { plans } of [first, second]) {
          plans.transactions.heal()
          plans.calls.heal()
        }
        for (let turn = 0; turn < 500 && (await expectOk(world.webhooks.backlog())).pending > 0; turn += 1) await pass(world, 20_000, 5000)
        for (const stop of stops) await stop()
        for (const delivery of await deliveriesOf(world)) checkDelivery(world, delivery)
        expect(world.ports.log.entries.filter(({ message }) => message.includes('defect'))).toEqual([])
      },
    ),
  )

  it('L17: a sender who was fenced out records nothing, and the message goes out again under its id', async () => {
    const world = webhooksWorld()
    const { subscription } = await subscribed(world)
    world.ports.webhookTransport.script(endpoint, [{ status: 200, afterMs: 800 }, 200])
    const [queued] = await queueTests(world, subscription.id, 1)
    const stop = dispatching(world)
    await pass(world, 250)
    const fence = ((await laneOf(world, subscription.id))?.fence ?? 0) + 1
    await setLane(world, subscription.id, { fence })
    await pass(world, 5000)
    expect(await deliveriesOf(world)).toMatchObject([{ status: 'pending', attempts: [] }])
    expect(await laneOf(world, subscription.id)).toMatchObject({ fence, leasedUntil: expect.any(Number) })
    await pass(world, 15_000)
    await stop()
    expect(world.ports.webhookTransport.posts.map(({ headers }) => headers['webhook-id'])).toEqual([queued?.id, queued?.id])
    expect(await deliveriesOf(world)).toMatchObject([{ status: 'delivered', attempts: [{ number: 1 }] }])
  })

  it('L17: what an instance sent before it died is sent again under the same id, and recorded once', async () => {
    const world = webhooksWorld()
    const { subscription } = await subscribed(world)
    world.ports.webhookTransport.script(endpoint, [{ status: 200, afterMs: 500 }, 200])
    const [queued] = await queueTests(world, subscription.id, 1)
    let isDead = false
    const dying: Transactions<Transaction> = {
      attempt: (unit, work) => (isDead ? new ResultAsync(new Promise(() => {})) : world.ports.transactions.attempt(unit, work)),
      settle: (unit) => world.ports.transactions.settle(unit),
    }
    void dispatching(webhooksWorld({ ports: { ...world.ports, transactions: dying } }))
    await pass(world, 250)
    isDead = true
    const stop = dispatching(world)
    await pass(world, 20_000)
    await stop()
    expect(world.ports.webhookTransport.posts.map(({ headers }) => headers['webhook-id'])).toEqual([queued?.id, queued?.id])
    expect(await deliveriesOf(world)).toMatchObject([{ status: 'delivered', attempts: [{ number: 1, status: 200 }] }])
  })

  it('ends what is in flight and gives its lanes back when it is cancelled', async () => {
    const world = webhooksWorld()
    const { subscription } = await subscribed(world)
    world.ports.webhookTransport.script(endpoint, () => ({ status: 200, afterMs: 700 }))
    await queueTests(world, subscription.id, 20)
    const stop = dispatching(world)
    await pass(world, 250)
    await stop()
    const statuses = (await deliveriesOf(world)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 'delivered')).toHaveLength(8)
    expect(await laneOf(world, subscription.id)).toMatchObject({ leasedUntil: null, dueAt: expect.any(Number) })
    expect(world.ports.webhookTransport.posts).toHaveLength(8)
  })

  it.each(Array.from({ length: 24 }, (_, index) => index + 1))('L17: delivers everything although unit %i fails', async (failing) => {
    const world = webhooksWorld()
    let units = 0
    const failingOnce: Transactions<Transaction> = {
      attempt(unit, work) {
        units += 1
        return units === failing ? errAsync(storeUnavailable('injected')) : world.ports.transactions.attempt(unit, work)
      },
      settle: (unit) => world.ports.transactions.settle(unit),
    }
    const limits = { lanes: 2, inFlight: 1, page: 4, perLease: 100 }
    const { subscription } = await subscribed(world)
    world.ports.webhookTransport.script(endpoint, () => ({ status: 200, afterMs: 900 }))
    await queueTests(world, subscription.id, 16)
    const stop = dispatching(webhooksWorld({ ports: { ...world.ports, transactions: failingOnce }, limits }))
    await pass(world, 60_000)
    await stop()
    expect((await deliveriesOf(world)).every(({ status }) => status === 'delivered')).toBe(true)
    expect(await laneOf(world, subscription.id)).toMatchObject({ dueAt: null, leasedUntil: null })
  })

  it('finds a subscription before its lane in every unit, so that no two units wait for each other', async () => {
    const world = webhooksWorld()
    const units: string[][] = []
    const noting: Transactions<Transaction> = {
      attempt(unit, work) {
        const found: string[] = []
        units.push(found)
        const noted = <Rows extends Readonly<{ find: unknown }>>(rows: Rows, name: string): Rows =>
          new Proxy(rows, {
            get(target, member) {
              if (member === 'find') found.push(name)
              return Reflect.get(target, member)
            },
          })
        return world.ports.transactions.attempt(unit, (tx) =>
          work({ ...tx, subscriptions: noted(tx.subscriptions, 'subscription'), lanes: noted(tx.lanes, 'lane') }),
        )
      },
      settle: (unit) => world.ports.transactions.settle(unit),
    }
    const instance = webhooksWorld({ ports: { ...world.ports, transactions: noting } })
    const { subscription } = await subscribed(instance)
    const change = { id: subscription.id, viewer, caller }
    world.ports.webhookTransport.script(endpoint, [200, 200, 410])
    const stop = dispatching(instance)
    const [first] = await queueTests(instance, subscription.id, 1)
    await pass(world, 1000)
    await expectOk(instance.webhooks.replay({ ...change, id: first?.id as Uuid }))
    await pass(world, 1000)
    await queueTests(instance, subscription.id, 1)
    await pass(world, 1000)
    await expectOk(instance.webhooks.amend({ ...change, amendment: { active: true }, reach: ownReach, version: null }))
    await expectOk(instance.webhooks.unsubscribe({ ...change, version: null }))
    await stop()
    const ofBoth = units.filter((found) => found.includes('lane') && found.includes('subscription'))
    expect(ofBoth.length).toBeGreaterThanOrEqual(10)
    expect(ofBoth.filter((found) => found[0] === 'lane')).toEqual([])
  })

  it('costs two units for one delivery: the lease, and the record that frees it', async () => {
    const world = webhooksWorld()
    let units = 0
    const counting: Transactions<Transaction> = {
      attempt(unit, work) {
        units += 1
        return world.ports.transactions.attempt(unit, work)
      },
      settle: (unit) => world.ports.transactions.settle(unit),
    }
    const instance = webhooksWorld({ ports: { ...world.ports, transactions: counting } })
    const { subscription } = await subscribed(world)
    const stop = dispatching(instance)
    await queueTests(world, subscription.id, 1)
    await pass(world, 1000)
    await stop()
    expect([units, world.ports.webhookTransport.posts.length]).toEqual([2, 1])
  })

  itHolds(
    'L17: delivers each event of a payment to each subscription that hears it exactly once where endpoints fare well',
    20,
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), async (subscriptions, events) => {
      const world = webhooksWorld()
      for (let index = 0; index < subscriptions; index += 1) await subscribed(world, { url: `https://endpoint-${index}.example` })
      const stop = dispatching(world)
      const id: Uuid = await addPayment(world)
      for (let index = 0; index < events; index += 1) {
        const event = paymentEvent(world, id, 'PROCESSING')
        let settled = false
        void fan(world, event).then(() => {
          settled = true
        })
        while (!settled) await world.ports.clock.advance(10)
      }
      await pass(world, 3000)
      await stop()
      const { posts } = world.ports.webhookTransport
      expect(posts).toHaveLength(subscriptions * events)
      expect(new Set(posts.map(({ headers }) => headers['webhook-id'])).size).toBe(posts.length)
    }),
  )
})
