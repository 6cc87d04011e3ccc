import { okAsync, ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { fakeKeyRing } from '../kernel/testing/fake-key-ring.ts'
import { expectOk } from '../testing/store-units.ts'
import type { WebhookTransport } from './ports/webhook-transport.ts'
import { verify } from './signature.ts'
import { fakeWebhookTransport } from './testing/fake-webhook-transport.ts'
import {
  alert,
  caller,
  deliveriesOf,
  dispatching,
  endpoint,
  fan,
  laneOf,
  pass,
  queueTests,
  setLane,
  subscribed,
  viewer,
  type WebhooksWorld,
  webhooksWorld,
} from './testing/webhooks-under-test.ts'
import type { WebhookSecret } from './webhook-secret.ts'

const hour = 3_600_000

function opens(world: WebhooksWorld, secret: WebhookSecret, index = 0): boolean {
  const post = world.ports.webhookTransport.posts[index]
  const { headers = {}, body = '', at = 0 } = post ?? {}
  const message = {
    id: headers['webhook-id'] ?? null,
    timestamp: headers['webhook-timestamp'] ?? null,
    signature: headers['webhook-signature'] ?? null,
    body,
  }
  return verify(world.ports.mac, [secret], at, message).isOk()
}

function sentAfterMs(world: WebhooksWorld): readonly number[] {
  const { posts } = world.ports.webhookTransport
  return posts.slice(1).map(({ at }, index) => at - (posts[index]?.at ?? 0))
}

describe('dispatching', () => {
  it('posts what is due, signed, once, and records it', async () => {
    const world = webhooksWorld()
    const { subscription, secret } = await subscribed(world)
    const stop = dispatching(world)
    const [queued] = await queueTests(world, subscription.id, 1)
    await pass(world, 1000)
    await stop()
    const { posts } = world.ports.webhookTransport
    expect(posts).toHaveLength(1)
    expect(posts[0]?.headers).toMatchObject({
      'webhook-id': queued?.id,
      'content-type': 'application/json',
      'user-agent': 'cbp-config-api',
    })
    expect(opens(world, secret)).toBe(true)
    expect(await deliveriesOf(world)).toMatchObject([
      { status: 'delivered', dueAt: null, attempts: [{ number: 1, status: 204, error: null }] },
    ])
    expect(world.webhooks.counts()).toMatchObject({ attempts: 1, delivered: 1, failed: 0 })
    expect(await laneOf(world, subscription.id)).toMatchObject({ dueAt: null, leasedUntil: null, failures: 0 })
  })

  it('finds what is due without any wake-up', async () => {
    const world = webhooksWorld({ ports: { signals: { raise: () => {}, listen: () => () => {} } } })
    const { subscription } = await subscribed(world)
    const stop = dispatching(world)
    await queueTests(world, subscription.id, 3)
    await pass(world, 1000)
    await stop()
    expect(world.ports.webhookTransport.posts).toHaveLength(3)
  })

  it('L17: tries as the schedule says, each time with the same id, then gives the delivery up', async () => {
    const world = webhooksWorld({ schedule: [0, 10, 100, 1000] })
    const { subscription } = await subscribed(world)
    world.ports.webhookTransport.script(endpoint, [500, 301, 'drop', { status: 503, body: 'busy\0' }])
    const stop = dispatching(world)
    await queueTests(world, subscription.id, 1)
    await pass(world, 2_000_000, 5000)
    await stop()
    const [delivery] = await deliveriesOf(world)
    expect(delivery).toMatchObject({ status: 'exhausted', dueAt: null })
    expect(delivery?.attempts.map(({ number, status, error, answer }) => ({ number, status, error, answer }))).toEqual([
      { number: 1, status: 500, error: null, answer: null },
      { number: 2, status: 301, error: null, answer: null },
      { number: 3, status: null, error: 'unreachable: connection refused', answer: null },
      { number: 4, status: 503, error: null, answer: 'busy\ufffd' },
    ])
    const waits = (delivery?.attempts ?? []).slice(1).map(({ at }, index) => at - (delivery?.attempts[index]?.at ?? 0))
    for (const [index, seconds] of [10, 100, 1000].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(seconds * 800)
      expect(waits[index]).toBeLessThan(seconds * 1200 + 1000)
    }
    expect(new Set(world.ports.webhookTransport.posts.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(world.webhooks.counts()).toMatchObject({ failed: 4, exhausted: 1, delivered: 0 })
  })

  it('waits as long as Retry-After asks', async () => {
    const world = webhooksWorld({ schedule: [0, 1] })
    const { subscription } = await subscribed(world)
    world.ports.webhookTransport.script(endpoint, [{ status: 429, retryAfterMs: 60_000 }, 200])
    const stop = dispatching(world)
    await queueTests(world, subscription.id, 1)
    await pass(world, 62_000)
    await stop()
    expect(Math.round((sentAfterMs(world)[0] ?? 0) / 1000)).toBe(60)
    expect(await deliveriesOf(world)).toMatchObject([{ status: 'delivered' }])
  })

  it('L17: disables a subscription whose endpoint answers 410, cancels the rest, and tells it without path or query', async () => {
    const url = 'https://user:pass@shop.example:8443/secret-path?token=secret'
    const world = webhooksWorld()
    const { subscription } = await subscribed(world, { url })
    world.ports.webhookTransport.script(url, [410])
    await queueTests(world, subscription.id, 250)
    const stop = dispatching(world)
    await pass(world, 2000)
    await stop()
    expect(await expectOk(world.webhooks.subscription(viewer, subscription.id))).toMatchObject({
      status: 'disabled',
      disabledBecause: 'its endpoint is gone (410)',
    })
    const deliveries = await deliveriesOf(world)
    expect(deliveries.every(({ status, dueAt }) => status === 'cancelled' && dueAt === null)).toBe(true)
    expect(world.webhooks.counts()).toMatchObject({ disabled: 1, cancelled: 250 })
    const [event] = await expectOk(world.ports.outbox.pending([{ stream: 'system' as never, after: 0 }], 10))
    expect(event?.event).toMatchObject({ type: 'SYSTEM_ALERT', payload: { component: 'delivery', severity: 'WARNING' } })
    expect(JSON.stringify(event)).toContain('shop.example:8443')
    expect(JSON.stringify(event)).not.toMatch(/secret-path|token|pass@/)
    expect((await expectOk(world.ports.outbox.backlog())).events).toBe(1)
  })

  it('L17: disables a subscription after 120 hours without a success, not before', async () => {
    for (const [hours, status] of [
      [119, 'active'],
      [120, 'disabled'],
    ] as const) {
      const world = webhooksWorld({ schedule: [0, 3600] })
      const { subscription } = await subscribed(world)
      world.ports.webhookTransport.script(endpoint, ['drop'])
      await setLane(world, subscription.id, { failingSince: world.ports.clock.now() - hours * hour, failures: 3 })
      await queueTests(world, subscription.id, 1)
      const stop = dispatching(world)
      await pass(world, 1000)
      await stop()
      expect((await expectOk(world.webhooks.subscription(viewer, subscription.id))).status).toBe(status)
    }
  })

  it('L17: counts no time in which nothing was pending towards the 120 hours', async () => {
    const world = webhooksWorld({ schedule: [0, 1] })
    const { subscription } = await subscribed(world)
    const answers = [500, 500, 500, 200]
    world.ports.webhookTransport.script(endpoint, answers)
    for (const status of ['exhausted', 'delivered']) {
      await queueTests(world, subscription.id, 1)
      const stop = dispatching(world)
      await pass(world, 5000)
      await stop()
      expect((await deliveriesOf(world)).at(-1)?.status).toBe(status)
      await world.ports.clock.advance(200 * hour)
    }
    expect((await expectOk(world.webhooks.subscription(viewer, subscription.id))).status).toBe('active')
  })

  it('forgets all failures with one success', async () => {
    const world = webhooksWorld()
    const { subscription } = await subscribed(world)
    await setLane(world, subscription.id, { failingSince: world.ports.clock.now() - 200 * hour, failures: 4 })
    await queueTests(world, subscription.id, 1)
    const stop = dispatching(world)
    await pass(world, 1000)
    await stop()
    expect(await laneOf(world, subscription.id)).toMatchObject({ failures: 0, failingSince: null, pausedUntil: null })
  })

  it('pauses after five failures in a row, then probes with one at a time and ever more patience', async () => {
    const world = webhooksWorld({ schedule: [0, 100_000] })
    const { subscription } = await subscribed(world)
    let fails = true
    world.ports.webhookTransport.script(endpoint, () => (fails ? 500 : 200))
    await queueTests(world, subscription.id, 40)
    const stop = dispatching(world)
    await pass(world, 20_000)
    const { posts } = world.ports.webhookTransport
    const burst = posts.filter(({ at }) => at === posts[0]?.at).length
    expect(burst).toBeLessThanOrEqual(12)
    const probes = posts.slice(burst).map(({ at }) => at)
    expect(new Set(probes).size).toBe(probes.length)
    const waits = sentAfterMs(world).slice(burst)
    expect(waits.every((wait, index) => index === 0 || wait > (waits[index - 1] ?? 0))).toBe(true)
    expect(probes.length).toBeLessThan(6)
    fails = false
    await pass(world, 40_000)
    await stop()
    expect(await laneOf(world, subscription.id)).toMatchObject({ failures: 0, pausedUntil: null })
    expect((await deliveriesOf(world)).filter(({ status }) => status === 'delivered').length).toBe(40 - burst - probes.length)
  })

  it('L17: endpoints that hang delay no other', async () => {
    const world = webhooksWorld({ schedule: [0, 1000] })
    world.settings.timeoutMs = 15_000
    for (let index = 0; index < 99; index += 1) {
      const url = `https://hang-${index}.example/`
      world.ports.webhookTransport.script(url, ['hang'])
      const hanging = await subscribed(world, { url })
      await queueTests(world, hanging.subscription.id, 10)
    }
    const { subscription } = await subscribed(world)
    const stop = dispatching(world)
    await pass(world, 500)
    await queueTests(world, subscription.id, 20)
    await pass(world, 2000)
    const good = (await deliveriesOf(world)).filter(({ subscriptionId }) => subscriptionId === subscription.id)
    await stop()
    expect(good.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'delivered'))
  })

  it('L17: a transport that never answers holds up its lane for one time-out only', async () => {
    const world = webhooksWorld({ ports: { webhookTransport: silentTransport() } })
    const { subscription } = await subscribed(world)
    await queueTests(world, subscription.id, 1)
    const stop = dispatching(world)
    await pass(world, 20_000)
    await stop()
    expect(await deliveriesOf(world)).toMatchObject([
      { status: 'exhausted', attempts: [{ error: 'timeout: no answer within 1000 ms' }, {}, {}] },
    ])
  })

  it('keeps its lease while a slow endpoint works through a long queue', async () => {
    const world = webhooksWorld()
    const { subscription } = await subscribed(world)
    world.ports.webhookTransport.script(endpoint, () => ({ status: 200, afterMs: 900 }))
    await queueTests(world, subscription.id, 400)
    const stops = [dispatching(world), dispatching(webhooksWorld({ ports: world.ports }))]
    await pass(world, 60_000)
    for (const stop of stops) await stop()
    expect(world.ports.webhookTransport.posts).toHaveLength(400)
    expect((await deliveriesOf(world)).every(({ status }) => status === 'delivered')).toBe(true)
  })

  it('sends nothing for a subscription that was disabled or deleted, and cancels what it finds', async () => {
    const world = webhooksWorld()
    const { subscription } = await subscribed(world)
    await queueTests(world, subscription.id, 3)
    await expectOk(world.webhooks.unsubscribe({ id: subscription.id, viewer, caller, version: null }))
    const stop = dispatching(world)
    await pass(world, 2000)
    await stop()
    expect(world.ports.webhookTransport.posts).toEqual([])
    expect((await deliveriesOf(world)).map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'cancelled'])
  })

  it('notes a try whose delivery was cancelled while it was under way', async () => {
    const world = webhooksWorld()
    const { subscription } = await subscribed(world)
    world.ports.webhookTransport.script(endpoint, [{ status: 200, afterMs: 800 }])
    await queueTests(world, subscription.id, 1)
    const stop = dispatching(world)
    await pass(world, 250)
    await expectOk(world.webhooks.unsubscribe({ id: subscription.id, viewer, caller, version: null }))
    await pass(world, 2000)
    await stop()
    expect(await deliveriesOf(world)).toMatchObject([{ status: 'cancelled', attempts: [{ status: 200 }] }])
  })

  it('signs nothing with a secret that cannot be read, and says so', async () => {
    const world = webhooksWorld()
    const { subscription } = await subscribed(world)
    const stranger = webhooksWorld({ ports: { ...world.ports, keyRing: fakeKeyRing(['another']) } })
    await queueTests(world, subscription.id, 1)
    const stop = dispatching(stranger)
    await pass(world, 10_000)
    await stop()
    expect(world.ports.webhookTransport.posts).toEqual([])
    expect(await deliveriesOf(world)).toMatchObject([
      { status: 'exhausted', attempts: [{ error: 'no signing secret can be read' }, {}, {}] },
    ])
    expect(world.ports.log.entries).toContainEqual(expect.objectContaining({ level: 'error', message: 'a signing secret cannot be read' }))
  })

  it('signs with the old secret beside the new one for 24 hours after a rotation', async () => {
    const world = webhooksWorld()
    const { subscription, secret } = await subscribed(world)
    const rotated = await expectOk(world.webhooks.rotateSecret({ id: subscription.id, viewer, caller }))
    for (const waitMs of [0, 24 * hour]) {
      await world.ports.clock.advance(waitMs)
      await queueTests(world, subscription.id, 1)
      const stop = dispatching(world)
      await pass(world, 500)
      await stop()
    }
    expect([opens(world, secret, 0), opens(world, rotated.secret, 0)]).toEqual([true, true])
    expect([opens(world, secret, 1), opens(world, rotated.secret, 1)]).toEqual([false, true])
  })

  it('marks what is replayed, and carries the trace of the event', async () => {
    const world = webhooksWorld()
    await expectOk(
      world.webhooks.subscribe({
        details: { url: endpoint, description: null, types: ['SYSTEM_ALERT'], filter: { statuses: null, components: null } },
        reach: { allClients: false, system: true },
        caller,
      }),
    )
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const stop = dispatching(world)
    await fan(world, { ...alert(world, 'payments'), traceparent })
    await pass(world, 1000)
    await fan(world, { ...alert(world, 'payments'), replayed: true })
    await pass(world, 1000)
    await stop()
    const [first, second] = world.ports.webhookTransport.posts.map(({ headers }) => headers)
    expect([first?.traceparent, first?.['cbp-replay']]).toEqual([traceparent, undefined])
    expect([second?.traceparent, second?.['cbp-replay']]).toEqual([undefined, 'true'])
  })

  it('survives a transport and a store that throw', async () => {
    const world = webhooksWorld()
    const inner = fakeWebhookTransport(world.ports.clock)
    let defects = 3
    const broken = <T>(call: () => T): T => {
      if (defects > 0) {
        defects -= 1
        throw new Error('a defect')
      }
      return call()
    }
    const flawed = webhooksWorld({
      ports: {
        ...world.ports,
        webhookTransport: { ...inner, post: (request) => broken(() => inner.post(request)) },
        webhookStore: { ...world.ports.webhookStore, dueLanes: (...args) => broken(() => world.ports.webhookStore.dueLanes(...args)) },
      },
    })
    const { subscription } = await subscribed(world)
    const stop = dispatching(flawed)
    await queueTests(world, subscription.id, 1)
    await pass(world, 10_000)
    await stop()
    expect(inner.posts).toHaveLength(1)
    expect(await deliveriesOf(world)).toMatchObject([{ status: 'delivered' }])
  })

  it('removes received ids that have expired', async () => {
    const world = webhooksWorld()
    const { clock } = world.ports
    const expiresAt = clock.now() + 1000
    await expectOk(
      world.unitOfWork.run((tx) => {
        tx.receivedWebhooks.insert({ id: 'old', receivedAt: 0, expiresAt })
        return okAsync(null)
      }),
    )
    const stop = dispatching(world)
    await pass(world, 120_000, 5000)
    await stop()
    expect(await expectOk(world.ports.webhookStore.dropExpiredIds(clock.now(), 10))).toBe(0)
  })
})

function silentTransport(): WebhookTransport {
  return { check: () => null, post: () => new ResultAsync(new Promise(() => {})) }
}
