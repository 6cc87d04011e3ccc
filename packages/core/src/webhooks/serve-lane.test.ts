import { errAsync, ResultAsync } from 'neverthrow'
import { describe, expect, it, vi } from 'vitest'
import type { Uuid } from '../kernel/ids.ts'
import { expectOk } from '../testing/store-units.ts'
import {
  caller,
  deliveriesOf,
  dispatching,
  endpoint,
  laneOf,
  ownReach,
  pass,
  queueTests,
  subscribed,
  viewer,
  type WebhooksWorld,
  webhooksWorld,
} from './testing/webhooks-under-test.ts'

describe('a lane in hand', () => {
  it('L17: a lane with a long backlog takes turns with others', async () => {
    const url = 'https://busy.example/'
    const world = webhooksWorld({ limits: { lanes: 1, inFlight: 1, page: 4, perLease: 2 } })
    world.ports.webhookTransport.script(url, () => ({ status: 200, afterMs: 900 }))
    const busy = await subscribed(world, { url })
    await queueTests(world, busy.subscription.id, 60)
    await world.ports.clock.advance(10)
    const { subscription } = await subscribed(world)
    await queueTests(world, subscription.id, 1)
    const stop = dispatching(world)
    await pass(world, 3000)
    await stop()
    const last = (await deliveriesOf(world)).at(-1)
    expect(last).toMatchObject({ subscriptionId: subscription.id, status: 'delivered' })
  })

  it('sends nothing that was cancelled, even where its subscription is active again', async () => {
    const world = webhooksWorld({ limits: { lanes: 1, inFlight: 1, page: 64, perLease: 100 } })
    const { subscription } = await subscribed(world)
    world.ports.webhookTransport.script(endpoint, () => ({ status: 200, afterMs: 800 }))
    await queueTests(world, subscription.id, 10)
    const stop = dispatching(world)
    await pass(world, 250)
    await amended(world, subscription.id, { active: false })
    await amended(world, subscription.id, { active: true })
    const [after] = await queueTests(world, subscription.id, 1)
    await pass(world, 5000)
    await stop()
    const sent = world.ports.webhookTransport.posts.map(({ headers }) => headers['webhook-id'])
    expect([sent.length, sent[1]]).toEqual([2, after?.id])
  })

  it('counts as overdue what nobody sends, and not what waits for an endpoint that fails', async () => {
    const world = webhooksWorld({ schedule: [0, 1, 1, 1, 1, 1, 1, 1, 1] })
    const { subscription } = await subscribed(world)
    world.ports.webhookTransport.script(endpoint, [500])
    const { clock } = world.ports
    const overdueSince = (): Promise<number | null> => expectOk(world.webhooks.overdueSince())
    expect(await overdueSince()).toBeNull()
    const dueAt = clock.now()
    await queueTests(world, subscription.id, 20)
    await clock.advance(90_000)
    expect(await overdueSince()).toBe(dueAt)
    const stop = dispatching(world)
    await pass(world, 5000)
    const [pausedUntil, { oldestDueAt }] = [
      (await laneOf(world, subscription.id))?.pausedUntil ?? 0,
      await expectOk(world.webhooks.backlog()),
    ]
    expect([pausedUntil > clock.now(), oldestDueAt]).toEqual([true, dueAt])
    expect(await overdueSince()).toBeNull()
    await stop()
  })

  it('holds nothing that a former URL answered against the new one', async () => {
    const world = webhooksWorld({ schedule: [0, 1000] })
    const { subscription } = await subscribed(world)
    world.ports.webhookTransport.script(endpoint, () => ({ status: 500, afterMs: 800 }))
    await queueTests(world, subscription.id, 8)
    const stop = dispatching(world)
    await pass(world, 250)
    await amended(world, subscription.id, { url: 'https://moved.example/' })
    await pass(world, 1000)
    await stop()
    expect(await laneOf(world, subscription.id)).toMatchObject({ failures: 0, failingSince: null, pausedUntil: null })
  })

  it('L17: takes nothing that ends with its instance for an attempt, and frees the lane', async () => {
    const world = webhooksWorld({ schedule: [0] })
    const { subscription } = await subscribed(world)
    const queued = await queueTests(world, subscription.id, 3)
    const stopping = { kind: 'webhook-unanswered', cause: 'stopped', reason: 'This service is stopping' } as const
    const { clock, webhookTransport } = world.ports
    const post = (): ReturnType<typeof webhookTransport.post> =>
      ResultAsync.fromSafePromise(clock.sleep(800)).andThen(() => errAsync(stopping))
    const ending = webhooksWorld({ ports: { ...world.ports, webhookTransport: { ...webhookTransport, post } } })
    const stop = dispatching(ending)
    await pass(world, 500)
    await stop()
    expect(await deliveriesOf(world)).toEqual(queued)
    expect(ending.webhooks.counts()).toMatchObject({ attempts: 0, failed: 0, exhausted: 0 })
    expect(await laneOf(world, subscription.id)).toMatchObject({ leasedUntil: null, dueAt: expect.any(Number), failures: 0 })
    const stopNext = dispatching(world)
    await pass(world, 1000)
    await stopNext()
    expect(webhookTransport.posts.map(({ headers }) => headers['webhook-id'])).toEqual(queued.map(({ id }) => id))
    expect((await deliveriesOf(world)).map(({ status }) => status)).toEqual(['delivered', 'delivered', 'delivered'])
  })

  it('L17: keeps what was answered beside what ended with its instance', async () => {
    const world = webhooksWorld()
    const { subscription } = await subscribed(world)
    const [first] = await queueTests(world, subscription.id, 2)
    const stopping = { kind: 'webhook-unanswered', cause: 'stopped', reason: 'This service is stopping' } as const
    const { webhookTransport } = world.ports
    const post: typeof webhookTransport.post = (request) =>
      request.headers['webhook-id'] === first?.id ? errAsync(stopping) : webhookTransport.post(request)
    const stop = dispatching(webhooksWorld({ ports: { ...world.ports, webhookTransport: { ...webhookTransport, post } } }))
    await world.ports.clock.advance(0)
    await stop()
    expect((await deliveriesOf(world)).map(({ status, attempts }) => [status, attempts.length])).toEqual([
      ['pending', 0],
      ['delivered', 1],
    ])
    expect(await laneOf(world, subscription.id)).toMatchObject({ leasedUntil: null, dueAt: expect.any(Number) })
  })

  it('L17: takes a defect in signing for a failed attempt, which tells nobody what it was', async () => {
    const world = webhooksWorld()
    const broken = {
      ...world.ports.mac,
      hmacSha256: () => {
        throw new Error('key of the inside')
      },
    }
    const { subscription } = await subscribed(world)
    await queueTests(world, subscription.id, 1)
    const stop = dispatching(webhooksWorld({ ports: { ...world.ports, mac: broken } }))
    await pass(world, 10_000)
    await stop()
    const error = 'unreachable: a defect of the sender'
    expect(await deliveriesOf(world)).toMatchObject([{ status: 'exhausted', attempts: [{ error }, { error }, { error }] }])
  })

  it('leaves no rejection to the platform where a defect ends a try while the next page is read', async () => {
    const world = webhooksWorld()
    const { webhookStore, random } = world.ports
    let draws = 0
    const throwsFirst = {
      fraction: () => {
        draws += 1
        if (draws === 1) throw new Error('a defect')
        return random.fraction()
      },
    }
    // In true time, because the platform looks for rejections when all promises have run.
    const slowly = async (): Promise<void> => {
      let looks = 0
      const isSecondLook = (): boolean => {
        looks += 1
        return looks === 2
      }
      await vi.waitUntil(isSecondLook, { interval: 2 })
    }
    const dueDeliveries: typeof webhookStore.dueDeliveries = (...args) =>
      ResultAsync.fromSafePromise(slowly()).andThen(() => webhookStore.dueDeliveries(...args))
    const ports = { ...world.ports, random: throwsFirst, webhookStore: { ...webhookStore, dueDeliveries } }
    const flawed = webhooksWorld({ ports, limits: { lanes: 1, inFlight: 4, page: 1, perLease: 10 } })
    const { subscription } = await subscribed(flawed)
    await queueTests(flawed, subscription.id, 2)
    const stop = dispatching(flawed)
    const isDone = async (): Promise<boolean> => {
      await pass(world, 1000)
      return (await deliveriesOf(world)).every(({ status }) => status === 'delivered')
    }
    await vi.waitUntil(isDone, { interval: 2, timeout: 4000 })
    const stopped = stop()
    await vi.waitUntil(async () => {
      await world.ports.clock.advance(1000)
      return (await laneOf(world, subscription.id))?.leasedUntil === null
    })
    await stopped
  })
})

async function amended({ webhooks }: WebhooksWorld, id: Uuid, amendment: Readonly<{ url?: string; active?: boolean }>): Promise<void> {
  await expectOk(webhooks.amend({ id, viewer, caller, amendment, reach: ownReach, version: null }))
}
