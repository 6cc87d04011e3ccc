import { cancelSource, type EventBroker, type EventsService, eventsService } from '@cbp/core'
import { errAsync, type Result, ResultAsync } from 'neverthrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RabbitEventBroker, rabbitEventBroker } from '../src/rabbitmq/rabbit-event-broker.ts'
import { type RabbitCluster, type RabbitNode, rabbitCanBeStarted, startRabbit } from './rabbitmq.ts'
import { systemClock as clock, silentLog as log, systemRandom as random } from './system.ts'
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts'
import { eventAt, flawless, recorder, type World, worldOf } from './world.ts'

type Method = (...args: readonly unknown[]) => unknown

const startTimeoutMs = 120_000
const settleMs = 45_000

function brokerAt(prefix: string, ...urls: readonly string[]): RabbitEventBroker {
  return rabbitEventBroker({ urls, clock, random, log, prefix, limits: { confirmTimeoutMs: 3_000, drainMs: 1_000 } })
}

/** Commits events round by round while `disturb` does its worst, and lets everything settle afterwards. */
async function underLoad(world: World, rounds: number, disturb: () => Promise<void>): Promise<void> {
  let isOver = false
  const disturbed = disturb().finally(() => {
    isOver = true
  })
  for (let round = 0; round < rounds || !isOver; round += 1) {
    await world.emit(20)
    await clock.sleep(round < rounds ? 20 : 100)
  }
  await disturbed
  await world.caughtUp(settleMs)
}

describe.skipIf(!rabbitCanBeStarted())('RabbitMQ that fails', () => {
  let cluster: RabbitCluster
  let node: RabbitNode
  beforeAll(async () => {
    cluster = await startRabbit()
    node = cluster.nodes[0] as RabbitNode
  }, startTimeoutMs)
  afterAll(() => cluster.stop())

  it('L12 L13 L15: a broker that is killed and restarted under load loses, doubles and reorders nothing', async () => {
    const [world, broker] = [worldOf(), brokerAt('killed.', node.url)]
    const instance = world.run(broker)
    await underLoad(world, 20, async () => {
      await clock.sleep(500)
      await node.kill()
      await clock.sleep(500)
      await node.start()
    })
    expect(await world.tally()).toEqual(flawless)
    await instance.stop()
    await broker.close()
  }, 90_000)

  it('L12 L15: connections that are cut again and again lose, double and reorder nothing', async () => {
    const proxy: TcpProxy = await tcpProxy(node.url)
    const [world, broker] = [worldOf(), brokerAt('cut.', proxy.url)]
    const instance = world.run(broker)
    await underLoad(world, 30, async () => {
      for (let cuts = 0; cuts < 5; cuts += 1) {
        await clock.sleep(200)
        // What is on its way arrives, and its confirm does not.
        proxy.holdAnswers()
        await clock.sleep(50)
        proxy.cut()
        proxy.passAnswers()
      }
    })
    expect(await world.tally()).toEqual(flawless)
    await instance.stop()
    await broker.close()
    await proxy.stop()
  }, 90_000)

  it('pauses at once while an alarm blocks publishing, and goes on afterwards', async () => {
    const broker = brokerAt('alarm.', node.url)
    const consumer = recorder('watching')
    broker.subscribe(consumer)
    expect((await broker.publish(eventAt('a', 1))).isOk()).toBe(true)
    await node.control('set_disk_free_limit', '1000000GB')
    const askedAt = clock.now()
    const refused = (await broker.publish(eventAt('a', 2)))._unsafeUnwrapErr()
    expect(refused).toMatchObject({ kind: 'broker-unavailable', reason: expect.stringContaining('low on disk') })
    expect(clock.now() - askedAt).toBeLessThan(2_000)
    expect(broker.health().publishing).toMatchObject({ kind: 'blocked' })
    await node.control('set_disk_free_limit', '1MB')
    await expect.poll(async () => (await broker.publish(eventAt('a', 2))).isOk(), { timeout: 10_000 }).toBe(true)
    await expect.poll(() => new Set(consumer.deliveries.map(({ sequence }) => sequence)), { timeout: 10_000 }).toEqual(new Set([1, 2]))
    await broker.close()
  }, 60_000)

  it('L13: relays share the streams, and those of a killed one move to the other within the lease', async () => {
    const [world, broker] = [worldOf(), brokerAt('relays.', node.url)]
    const consumer = recorder('witness')
    broker.subscribe(consumer)
    expect((await broker.publish(eventAt('first', 1))).isOk()).toBe(true)
    const [one, two] = [killableRelay(world, broker, 'one'), killableRelay(world, broker, 'two')]
    const { signal, cancel } = cancelSource()
    void one.service.relay(signal)
    const running = two.service.relay(signal)
    for (let round = 0; round < 40; round += 1) {
      await world.emit(40)
      await clock.sleep(5)
    }
    one.kill()
    const killedAt = clock.now()
    await world.emit(40)
    await expect.poll(() => consumer.deliveries.filter(({ sequence }) => sequence === 41).length, { timeout: 20_000 }).toBe(40)
    // The lease, a poll of the survivor, and what a busy machine takes.
    expect(clock.now() - killedAt).toBeLessThan(5_000)
    expect([one, two].map(({ service }) => service.relayCounts().confirmed > 0)).toEqual([true, true])
    for (const [, deliveries] of Map.groupBy(consumer.deliveries, ({ stream }) => stream)) {
      const firsts = [...new Set(deliveries.map(({ sequence }) => sequence))]
      expect(firsts).toEqual(firsts.toSorted((left, right) => left - right))
    }
    cancel()
    await running
    await broker.close()
  }, 60_000)

  it('is of use again whenever the broker comes, however long it was away', async () => {
    await node.kill()
    const broker = brokerAt('later.', node.url)
    const consumer = recorder('patient')
    broker.subscribe(consumer)
    expect((await broker.publish(eventAt('a', 1)))._unsafeUnwrapErr().kind).toBe('broker-unavailable')
    expect(broker.health().publishing.kind).toBe('away')
    await node.start()
    await expect.poll(async () => (await broker.publish(eventAt('a', 1))).isOk(), { timeout: 20_000 }).toBe(true)
    await expect.poll(() => consumer.deliveries.length, { timeout: 20_000 }).toBeGreaterThan(0)
    await broker.close()
  }, 60_000)
})

/** A relay that can be ended as a power cut would: whatever it asks for, it never hears of again. */
function killableRelay({ ports }: World, eventBroker: EventBroker, owner: string): Readonly<{ service: EventsService; kill(): void }> {
  let isDead = false
  const never = new ResultAsync(new Promise<Result<never, never>>(() => {}))
  const mortal = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get:
        (target, name) =>
        (...args: readonly unknown[]) =>
          isDead ? never : (Reflect.get(target, name) as Method).apply(target, [...args]),
    })
  const service = eventsService({
    ...ports,
    eventBroker: mortal(eventBroker),
    outbox: mortal(ports.outbox),
    unitOfWork: { run: () => errAsync({ kind: 'store-unavailable', reason: 'there are no consumers here' }) },
    owner,
    leaseMs: async () => 1_000,
    limits: { streams: 20, page: 8 },
    consumers: [],
  })
  return {
    service,
    kill() {
      isDead = true
    },
  }
}

describe.skipIf(!rabbitCanBeStarted())('RabbitMQ as three nodes', () => {
  let cluster: RabbitCluster
  beforeAll(async () => {
    cluster = await startRabbit(3)
  }, startTimeoutMs)
  afterAll(() => cluster.stop())

  it('L12 L13 L15: a node that is killed under load costs nothing but time', async () => {
    const [first, ...others] = cluster.nodes
    const urls = [first, ...others].map((node) => (node as RabbitNode).url)
    const [world, one, two] = [worldOf(), brokerAt('cluster.', ...urls), brokerAt('cluster.', ...urls.toReversed())]
    const instances = [one, two].map((broker) => world.run(broker))
    // The queues are there, and one of the instances may have published nothing yet when the node dies.
    await world.emit(1)
    await world.caughtUp(settleMs)
    await underLoad(world, 20, async () => {
      await clock.sleep(1_000)
      await first?.kill()
      await clock.sleep(2_000)
    })
    expect(await world.tally()).toEqual(flawless)
    await Promise.all(instances.map((instance) => instance.stop()))
    await Promise.all([one.close(), two.close()])
  }, 120_000)
})
