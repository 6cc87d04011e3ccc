import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fakeRandom } from '../kernel/testing/fake-random.ts'
import { faultPlan } from '../kernel/testing/faults.ts'
import { faultyTransactions } from '../kernel/testing/faulty-transactions.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { expectOk } from '../testing/store-units.ts'
import { sign } from './signature.ts'
import { addPayment, caller, inboundSecret, type WebhooksWorld, webhooksWorld } from './testing/webhooks-under-test.ts'
import type { SignedMessage } from './webhooks-service.ts'

const occurredAt = '2026-01-01T00:00:00.000Z'

function bodyOf(paymentId: string, changed: object = {}): string {
  return JSON.stringify({ paymentId, status: 'COMPLETED', occurredAt, ...changed })
}

function messageOf({ ports }: WebhooksWorld, body: string, id = 'msg_1'): SignedMessage {
  const seconds = Math.floor(ports.clock.now() / 1000)
  return { id, timestamp: String(seconds), signature: sign(ports.mac, inboundSecret, id, seconds, body), body }
}

async function effectsOn({ ports }: WebhooksWorld, id: string): Promise<number> {
  return (await expectOk(ports.paymentStore.payment(id as never)))?.entries ?? -1
}

describe('receivePaymentStatus', () => {
  it('L16: lets one id have one effect', async () => {
    const world = webhooksWorld()
    const id = await addPayment(world)
    const message = messageOf(world, bodyOf(id))
    const first = await expectOk(world.webhooks.receivePaymentStatus(message, caller))
    const again = await expectOk(world.webhooks.receivePaymentStatus(message, caller))
    expect([first, again]).toEqual([
      { outcome: 'effect', id: 'msg_1' },
      { outcome: 'duplicate', id: 'msg_1' },
    ])
    expect(await effectsOn(world, id)).toBe(1)
  })

  itHolds(
    'L16: lets one id have one effect, however many copies race and whatever is lost on the way',
    60,
    fc.asyncProperty(fc.integer(), fc.integer({ min: 2, max: 6 }), async (seed, copies) => {
      const calm = webhooksWorld()
      const faults = faultPlan<never>({
        random: fakeRandom(seed),
        clock: calm.ports.clock,
        rates: { slow: 0.1, contended: 0.1, 'lost-before': 0.1, 'lost-after': 0.1, 'lost-late': 0.1 } as never,
      })
      const world = webhooksWorld({ ports: { ...calm.ports, transactions: faultyTransactions(calm.ports.transactions, faults) } })
      const id = await addPayment(calm)
      const message = messageOf(calm, bodyOf(id))
      const received = Array.from({ length: copies }, async () => world.webhooks.receivePaymentStatus(message, caller))
      for (let turn = 0; turn < 200; turn += 1) await calm.ports.clock.advance(50)
      const outcomes = (await Promise.all(received)).map((each) => each.map(({ outcome }) => outcome).unwrapOr('duplicate'))
      expect(outcomes.filter((outcome) => outcome === 'effect')).toHaveLength(1)
      expect(await effectsOn(calm, id)).toBe(1)
    }),
  )

  it.each<readonly [string, (message: SignedMessage) => SignedMessage]>([
    ['a wrong signature', (message) => ({ ...message, signature: `v1,${'A'.repeat(43)}=` })],
    ['no signature', (message) => ({ ...message, signature: '' })],
    ['another id', (message) => ({ ...message, id: 'msg_2' })],
    ['an old time', (message) => ({ ...message, timestamp: '1' })],
    ['a body cut off', (message) => ({ ...message, body: message.body.slice(0, -1) })],
    ['a body that is not JSON and not signed', (message) => ({ ...message, body: '{' })],
  ])('L16: changes nothing on %s', async (_name, spoil) => {
    const world = webhooksWorld()
    const id = await addPayment(world)
    const message = messageOf(world, bodyOf(id))
    const refused = await world.webhooks.receivePaymentStatus(spoil(message), caller)
    expect(refused._unsafeUnwrapErr().kind).toBe('signature-invalid')
    expect([await effectsOn(world, id), world.webhooks.counts().refused]).toEqual([0, 1])
    // And the id is still free.
    expect((await expectOk(world.webhooks.receivePaymentStatus(message, caller))).outcome).toBe('effect')
  })

  it('L16: changes nothing when a message is sent again after its time', async () => {
    const world = webhooksWorld()
    const id = await addPayment(world)
    const message = messageOf(world, bodyOf(id))
    await world.ports.clock.advance(302_000)
    expect((await world.webhooks.receivePaymentStatus(message, caller))._unsafeUnwrapErr().kind).toBe('signature-invalid')
    expect(await effectsOn(world, id)).toBe(0)
  })

  it('keeps an id for seven days, then takes it as a new one', async () => {
    const world = webhooksWorld()
    const id = await addPayment(world)
    const receive = async (): Promise<string> =>
      (await expectOk(world.webhooks.receivePaymentStatus(messageOf(world, bodyOf(id)), caller))).outcome
    const first = await receive()
    await world.ports.clock.advance(7 * 24 * 3_600_000 - 1)
    const before = await receive()
    await world.ports.clock.advance(1)
    expect([first, before, await receive()]).toEqual(['effect', 'duplicate', 'effect'])
  })

  it('keeps nothing of a message about a payment that it does not know', async () => {
    const world = webhooksWorld()
    const unknown = world.ports.ids.next()
    const refused = await world.webhooks.receivePaymentStatus(messageOf(world, bodyOf(unknown)), caller)
    expect(refused._unsafeUnwrapErr()).toEqual({ kind: 'unknown-payment', paymentId: unknown })
    const known = await addPayment(world)
    expect((await expectOk(world.webhooks.receivePaymentStatus(messageOf(world, bodyOf(known)), caller))).outcome).toBe('effect')
  })

  it('ignores members that it does not know, and those of the prototype', async () => {
    const world = webhooksWorld()
    const id = await addPayment(world)
    const body = `{"__proto__":{"status":"FAILED"},"constructor":1,"extra":{"a":[1]},"paymentId":"${id.toUpperCase()}","status":"COMPLETED","occurredAt":"2026-01-01T01:00:00+01:00","reference":null}`
    expect((await expectOk(world.webhooks.receivePaymentStatus(messageOf(world, body), caller))).outcome).toBe('effect')
  })

  it.each<readonly [string, string, string]>([
    ['is not JSON', '{', ''],
    ['is no object', '[]', ''],
    [
      'has no status of its own',
      '{"__proto__":{"status":"COMPLETED"},"paymentId":"01890000-0000-7000-8000-000000000000","occurredAt":"2026-01-01T00:00:00Z"}',
      '/status',
    ],
    ['has an unknown status', bodyOf('01890000-0000-7000-8000-000000000000', { status: 'PENDING' }), '/status'],
    ['names no payment', bodyOf('payment-1'), '/paymentId'],
    ['has no instant', bodyOf('01890000-0000-7000-8000-000000000000', { occurredAt: 'yesterday' }), '/occurredAt'],
    ['has a reference that no column takes', bodyOf('01890000-0000-7000-8000-000000000000', { reference: 'a\0' }), '/reference'],
  ])('says what is wrong with a signed body that %s', async (_name, body, pointer) => {
    const world = webhooksWorld()
    const refused = await world.webhooks.receivePaymentStatus(messageOf(world, body), caller)
    expect(refused._unsafeUnwrapErr()).toMatchObject({ kind: 'invalid-webhook', faults: [{ pointer }] })
    expect(world.webhooks.counts().refused).toBe(1)
  })
})
