import { describe, expect, it } from 'vitest'
import type { Uuid } from '../kernel/ids.ts'
import { expectOk } from '../testing/store-units.ts'
import { signingSecrets, subscriptionLimits } from './subscription.ts'
import {
  caller,
  deliveriesOf,
  details,
  dispatching,
  laneOf,
  ownReach,
  pass,
  queueTests,
  setLane,
  subscribed,
  viewer,
  type WebhooksWorld,
  webhooksWorld,
} from './testing/webhooks-under-test.ts'
import type { AmendSubscription } from './webhooks-service.ts'

const system = { allClients: false, system: true }
const stranger = { client: 'issuer|stranger', seesAll: false }
const operator = { client: 'cli:operator', seesAll: true }

type Change = Parameters<AmendSubscription>[0]

function amending({ webhooks }: WebhooksWorld, id: Uuid, amendment: Change['amendment'], changed: Partial<Change> = {}) {
  return webhooks.amend({ id, viewer, caller, amendment, reach: ownReach, version: null, ...changed })
}

describe('subscribe', () => {
  it('tells the secret once, and stores it sealed only', async () => {
    const world = webhooksWorld()
    const { subscription, secret } = await subscribed(world)
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(JSON.stringify(await expectOk(world.ports.webhookStore.subscription(subscription.id)))).not.toContain(secret.slice(6))
    const { id, sealed } = subscription.secrets[0] ?? { id: '', sealed: '' }
    expect(world.ports.keyRing.unseal(sealed, `webhook-secret:${id}`)._unsafeUnwrap()).toBe(secret)
    expect(world.ports.keyRing.unseal(sealed, 'webhook-secret:another').isErr()).toBe(true)
  })

  it('refuses a target that can never be one', async () => {
    const world = webhooksWorld()
    for (const url of ['http://shop.example', `https://shop.example/${'x'.repeat(subscriptionLimits.url)}`]) {
      const refused = await world.webhooks.subscribe({ details: { ...details, url }, reach: ownReach, caller })
      expect(refused._unsafeUnwrapErr().kind).toBe('forbidden-target')
    }
  })

  it('refuses types beyond the reach of the one who asks', async () => {
    const world = webhooksWorld()
    const types = ['PAYMENT_CREATED', 'USER_UPDATED', 'CONFIG_UPDATED', 'SYSTEM_ALERT'] as const
    const asked = { details: { ...details, types }, caller }
    const refused = await world.webhooks.subscribe({ ...asked, reach: { allClients: true, system: false } })
    expect(refused._unsafeUnwrapErr()).toEqual({ kind: 'beyond-reach', types: ['USER_UPDATED', 'CONFIG_UPDATED', 'SYSTEM_ALERT'] })
    expect((await world.webhooks.subscribe({ ...asked, reach: system })).isOk()).toBe(true)
  })

  it('lets a client have a hundred, not counting deleted ones', async () => {
    const world = webhooksWorld()
    const made = []
    for (let count = 0; count < 100; count += 1) made.push(await subscribed(world))
    const refused = await world.webhooks.subscribe({ details, reach: ownReach, caller })
    expect(refused._unsafeUnwrapErr()).toEqual({ kind: 'too-many-subscriptions', limit: 100 })
    await expectOk(world.webhooks.unsubscribe({ id: made[0]?.subscription.id as Uuid, viewer, caller, version: null }))
    expect((await world.webhooks.subscribe({ details, reach: ownReach, caller })).isOk()).toBe(true)
  })
})

describe('subscriptions and deliveries', () => {
  it('exist for their owner and for those who see all, for nobody else', async () => {
    const world = webhooksWorld()
    const { subscription } = await subscribed(world)
    const { id } = subscription
    const [queued] = await queueTests(world, id, 1)
    const deliveryId = queued?.id as Uuid
    const { webhooks } = world
    const asked = { id, viewer: stranger, caller }
    const refusals = await Promise.all([
      webhooks.subscription(stranger, id),
      amending(world, id, { description: 'mine now' }, { viewer: stranger }),
      webhooks.unsubscribe({ ...asked, version: null }),
      webhooks.rotateSecret(asked),
      webhooks.sendTest(asked),
      webhooks.delivery(stranger, deliveryId),
      webhooks.replay({ ...asked, id: deliveryId }),
    ])
    expect(refusals.map((each) => each._unsafeUnwrapErr().kind)).toEqual([
      ...Array.from({ length: 5 }, () => 'subscription-not-found'),
      'delivery-not-found',
      'delivery-not-found',
    ])
    const none = { subscriptionId: null, status: null }
    expect((await expectOk(webhooks.subscriptions(stranger, null, 10))).items).toEqual([])
    expect((await expectOk(webhooks.deliveries(stranger, none, null, 10))).items).toEqual([])
    expect((await expectOk(webhooks.subscriptions(operator, null, 10))).items).toHaveLength(1)
    expect((await expectOk(webhooks.deliveries(operator, none, null, 10))).items).toHaveLength(1)
  })

  it('are listed page by page, the newest first', async () => {
    const world = webhooksWorld()
    const { subscription } = await subscribed(world)
    const queued = await queueTests(world, subscription.id, 5)
    const none = { subscriptionId: null, status: null }
    const first = await expectOk(world.webhooks.deliveries(viewer, none, null, 3))
    const second = await expectOk(world.webhooks.deliveries(viewer, none, first.next, 3))
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(queued.map(({ id }) => id).toReversed())
    expect(second.next).toBeNull()
  })
})

describe('amend', () => {
  it('changes what is named, one version further, and refuses another version', async () => {
    const world = webhooksWorld()
    const { id } = (await subscribed(world)).subscription
    const amended = await expectOk(amending(world, id, { description: 'shop' }, { version: 1 }))
    expect(amended).toMatchObject({ description: 'shop', url: details.url, version: 2 })
    const stale = await amending(world, id, { description: 'late' }, { version: 1 })
    expect(stale._unsafeUnwrapErr()).toMatchObject({ kind: 'stale-subscription', subscription: { version: 2 } })
  })

  it('lends a changed target or type no more reach than the owner has now', async () => {
    const world = webhooksWorld()
    const made = await expectOk(
      world.webhooks.subscribe({ details: { ...details, types: ['SYSTEM_ALERT'] }, reach: { allClients: true, system: true }, caller }),
    )
    const { id } = made.subscription
    const url = 'https://elsewhere.example'
    expect((await amending(world, id, { url }))._unsafeUnwrapErr().kind).toBe('beyond-reach')
    expect((await amending(world, id, { description: 'still mine' })).isOk()).toBe(true)
    const narrowed = await expectOk(amending(world, id, { url, types: ['PAYMENT_CREATED'] }))
    expect(narrowed.reach).toEqual(ownReach)
  })

  it("lends nobody's reach to the subscription of another", async () => {
    const world = webhooksWorld()
    const { id } = (await subscribed(world)).subscription
    const all = { allClients: true, system: true }
    const asOperator = { viewer: operator, caller: { ...caller, client: operator.client }, reach: all }
    expect((await amending(world, id, { types: ['SYSTEM_ALERT'] }, asOperator))._unsafeUnwrapErr().kind).toBe('beyond-reach')
    expect((await expectOk(amending(world, id, { types: ['PAYMENT_FAILED'] }, asOperator))).reach).toEqual(ownReach)
  })

  it('L17: cancels what is pending when it disables, and begins with a clean record when it enables', async () => {
    const world = webhooksWorld()
    const { id } = (await subscribed(world)).subscription
    await queueTests(world, id, 230)
    expect(await expectOk(amending(world, id, { active: false }))).toMatchObject({
      status: 'disabled',
      disabledBecause: 'disabled by its owner',
      version: 2,
    })
    expect((await deliveriesOf(world)).every(({ status }) => status === 'cancelled')).toBe(true)
    expect((await world.webhooks.sendTest({ id, viewer, caller }))._unsafeUnwrapErr().kind).toBe('subscription-disabled')
    await setLane(world, id, { failures: 9, failingSince: 1, pausedUntil: world.ports.clock.now() + 10_000_000 })
    expect(await expectOk(amending(world, id, { active: true }))).toMatchObject({ status: 'active', disabledBecause: null })
    expect(await laneOf(world, id)).toMatchObject({ failures: 0, failingSince: null, pausedUntil: null, dueAt: null })
    expect(world.webhooks.counts().cancelled).toBe(230)
  })

  it('ends a pause when the target changes', async () => {
    const world = webhooksWorld()
    const { id } = (await subscribed(world)).subscription
    const [queued] = await queueTests(world, id, 1)
    const later = world.ports.clock.now() + 300_000
    await setLane(world, id, { failures: 9, failingSince: 1, pausedUntil: later, dueAt: later })
    await expectOk(amending(world, id, { url: 'https://mended.example' }))
    expect(await laneOf(world, id)).toMatchObject({ failures: 0, pausedUntil: null, dueAt: queued?.dueAt })
  })
})

describe('unsubscribe', () => {
  it('L17: ends the subscription and everything pending for good', async () => {
    const world = webhooksWorld()
    const { id } = (await subscribed(world)).subscription
    await queueTests(world, id, 120)
    expect((await expectOk(world.webhooks.unsubscribe({ id, viewer, caller, version: null }))).status).toBe('deleted')
    expect((await deliveriesOf(world)).every(({ status, endedAt }) => status === 'cancelled' && endedAt !== null)).toBe(true)
    expect((await world.webhooks.subscription(viewer, id)).isErr()).toBe(true)
    expect((await amending(world, id, { active: true })).isErr()).toBe(true)
    expect((await expectOk(world.webhooks.backlog())).pending).toBe(0)
  })

  it('L2: ends only the version that the caller saw', async () => {
    const world = webhooksWorld()
    const { id } = (await subscribed(world)).subscription
    await expectOk(amending(world, id, { description: 'changed meanwhile' }))
    const asked = { id, viewer, caller }
    expect((await world.webhooks.unsubscribe({ ...asked, version: 1 }))._unsafeUnwrapErr()).toMatchObject({
      kind: 'stale-subscription',
      subscription: { id, version: 2, status: 'active' },
    })
    expect(await expectOk(world.webhooks.unsubscribe({ ...asked, version: 2 }))).toMatchObject({ status: 'deleted', version: 3 })
  })

  it('L2: lets exactly one of an end and a change of the same version win', async () => {
    const world = webhooksWorld()
    const { id } = (await subscribed(world)).subscription
    const seen = { id, viewer, caller, version: 1 }
    const both = Promise.all([
      world.webhooks.unsubscribe(seen),
      world.webhooks.amend({ ...seen, amendment: { description: 'mine' }, reach: ownReach }),
    ])
    await pass(world, 1000)
    expect((await both).filter((each) => each.isOk())).toHaveLength(1)
  })
})

describe('rotateSecret', () => {
  it('keeps the secret before for 24 hours, and never more than two older ones', async () => {
    const world = webhooksWorld()
    const first = await subscribed(world)
    const { id } = first.subscription
    const rotate = async () => (await expectOk(world.webhooks.rotateSecret({ id, viewer, caller }))).subscription
    const second = await rotate()
    expect(second.secrets.map(({ expiresAt }) => expiresAt)).toEqual([null, world.ports.clock.now() + 24 * 3_600_000])
    await world.ports.clock.advance(1000)
    await rotate()
    const fourth = await rotate()
    expect(fourth.secrets).toHaveLength(3)
    expect(new Set(fourth.secrets.map(({ id: secret }) => secret)).size).toBe(3)
    expect(fourth.secrets.some(({ id: secret }) => secret === first.subscription.secrets[0]?.id)).toBe(false)
    expect(signingSecrets(fourth, world.ports.clock.now() + 24 * 3_600_000)).toHaveLength(1)
  })
})

describe('replay', () => {
  it('queues what has ended once more, with an id of its own', async () => {
    const world = webhooksWorld()
    const { id } = (await subscribed(world)).subscription
    const [queued] = await queueTests(world, id, 1)
    const original = queued?.id as Uuid
    const asked = { id: original, viewer, caller }
    expect((await world.webhooks.replay(asked))._unsafeUnwrapErr().kind).toBe('delivery-still-pending')
    const stop = dispatching(world)
    await pass(world, 500)
    const replayed = await expectOk(world.webhooks.replay(asked))
    await pass(world, 500)
    await stop()
    expect(replayed).toMatchObject({ status: 'pending', replayOf: original, body: queued?.body })
    const posts = world.ports.webhookTransport.posts.map(({ headers }) => [headers['webhook-id'], headers['cbp-replay']])
    expect(posts).toEqual([
      [original, undefined],
      [replayed.id, 'true'],
    ])
    expect((await expectOk(world.webhooks.delivery(viewer, replayed.id))).status).toBe('delivered')
  })

  it('needs an active subscription', async () => {
    const world = webhooksWorld()
    const { id } = (await subscribed(world)).subscription
    const [queued] = await queueTests(world, id, 1)
    await expectOk(amending(world, id, { active: false }))
    const asked = { id: queued?.id as Uuid, viewer, caller }
    expect((await world.webhooks.replay(asked))._unsafeUnwrapErr().kind).toBe('subscription-disabled')
    await expectOk(world.webhooks.unsubscribe({ id, viewer, caller, version: null }))
    expect((await world.webhooks.replay(asked))._unsafeUnwrapErr().kind).toBe('subscription-not-found')
  })
})
