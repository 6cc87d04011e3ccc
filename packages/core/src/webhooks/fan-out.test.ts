import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itHolds } from '../kernel/testing/property.ts'
import type { PaymentStatus } from '../payments/index.ts'
import { expectOk } from '../testing/store-units.ts'
import { type WebhookType, webhookTypes } from './subscription.ts'
import {
  addPayment,
  alert,
  caller,
  deliveriesOf,
  details,
  fan,
  laneOf,
  ownReach,
  paymentEvent,
  setLane,
  subscribed,
  type WebhooksWorld,
  webhooksWorld,
} from './testing/webhooks-under-test.ts'
import type { SubscriptionDetails } from './webhooks-service.ts'

const everything = { allClients: true, system: true }

async function subscribeAs(world: WebhooksWorld, client: string, changed: Partial<SubscriptionDetails>, reach = ownReach): Promise<string> {
  const made = await expectOk(world.webhooks.subscribe({ details: { ...details, ...changed }, reach, caller: { ...caller, client } }))
  return made.subscription.id
}

async function heardBy(world: WebhooksWorld, id: string): Promise<readonly string[]> {
  return (await deliveriesOf(world)).filter(({ subscriptionId }) => subscriptionId === id).map(({ type }) => type)
}

const anyPaymentTypes = fc.uniqueArray(fc.constantFrom<WebhookType>(...webhookTypes.filter((type) => type.startsWith('PAYMENT_'))), {
  minLength: 1,
})
const anyStatus = fc.constantFrom<PaymentStatus>('PROCESSING', 'COMPLETED', 'FAILED', 'UNKNOWN', 'REVERSED')

describe('fanOut', () => {
  itHolds(
    'tells each subscription of a transition once, under the most specific type that it names',
    100,
    fc.asyncProperty(anyPaymentTypes, anyStatus, async (types, status) => {
      const world = webhooksWorld()
      const { subscription } = await subscribed(world, { types })
      const event = paymentEvent(world, await addPayment(world), status)
      await fan(world, event)
      const specific = status === 'COMPLETED' ? 'PAYMENT_COMPLETED' : status === 'FAILED' ? 'PAYMENT_FAILED' : null
      const expected =
        specific !== null && types.includes(specific) ? specific : types.includes('PAYMENT_UPDATED') ? 'PAYMENT_UPDATED' : null
      const deliveries = await deliveriesOf(world)
      expect(deliveries.map(({ type, body }) => ({ type, body }))).toEqual(
        expected === null ? [] : [{ type: expected, body: JSON.stringify({ type: expected, payload: event.event.payload }) }],
      )
      expect((await laneOf(world, subscription.id))?.dueAt).toBe(expected === null ? null : world.ports.clock.now())
    }),
  )

  it('tells of nothing that occurred before the subscription', async () => {
    const world = webhooksWorld()
    const id = await addPayment(world)
    const before = paymentEvent(world, id, 'COMPLETED')
    await world.ports.clock.advance(1)
    const { subscription } = await subscribed(world)
    await fan(world, before)
    expect(await heardBy(world, subscription.id)).toEqual([])
    await fan(world, paymentEvent(world, id, 'REVERSED'))
    expect(await heardBy(world, subscription.id)).toEqual(['PAYMENT_UPDATED'])
  })

  it("tells a payment's client and those who hear all clients, nobody else", async () => {
    const world = webhooksWorld()
    const own = await subscribeAs(world, 'a', {})
    const other = await subscribeAs(world, 'b', {})
    const all = await subscribeAs(world, 'c', {}, everything)
    await fan(world, paymentEvent(world, await addPayment(world, 'a'), 'COMPLETED'))
    const heard = [await heardBy(world, own), await heardBy(world, other), await heardBy(world, all)]
    expect(heard).toEqual([['PAYMENT_UPDATED'], [], ['PAYMENT_UPDATED']])
  })

  it('keeps to the filters of statuses and components', async () => {
    const world = webhooksWorld()
    const types: readonly WebhookType[] = ['PAYMENT_UPDATED', 'SYSTEM_ALERT']
    const filtered = await subscribeAs(world, 'a', { types, filter: { statuses: ['FAILED'], components: ['delivery'] } }, everything)
    const id = await addPayment(world, 'a')
    await fan(world, paymentEvent(world, id, 'COMPLETED'))
    await fan(world, paymentEvent(world, id, 'FAILED'))
    await fan(world, alert(world, 'payments'))
    await fan(world, alert(world, 'delivery'))
    expect(await heardBy(world, filtered)).toEqual(['PAYMENT_UPDATED', 'SYSTEM_ALERT'])
  })

  it('leaves a pause as it is', async () => {
    const world = webhooksWorld()
    const { subscription } = await subscribed(world)
    const pausedUntil = world.ports.clock.now() + 60_000
    await setLane(world, subscription.id, { pausedUntil })
    await fan(world, paymentEvent(world, await addPayment(world), 'COMPLETED'))
    expect(await laneOf(world, subscription.id)).toMatchObject({ dueAt: pausedUntil, pausedUntil })
  })

  it('applies no event of a payment that does not exist', async () => {
    const world = webhooksWorld()
    const event = paymentEvent(world, world.ports.ids.next(), 'COMPLETED')
    const applied = await world.unitOfWork.run((tx) => world.consumer.apply(tx, event))
    expect(applied._unsafeUnwrapErr().kind).toBe('event-not-applicable')
  })

  it('puts the first try off as the schedule says, once it has read it', async () => {
    const world = webhooksWorld({ schedule: [100] })
    await subscribed(world)
    const id = await addPayment(world)
    await fan(world, paymentEvent(world, id, 'PROCESSING'))
    await fan(world, paymentEvent(world, id, 'COMPLETED'))
    const [, second] = await deliveriesOf(world)
    const delayMs = (second?.dueAt ?? 0) - world.ports.clock.now()
    expect([delayMs >= 80_000, delayMs <= 120_000]).toEqual([true, true])
  })
})
