import { randomUUID } from 'node:crypto'
import type { Delivery, EventConsumer, EventRefused } from '@cbp/core'
import { type FakeLog, fakeLog } from '@cbp/core/testing'
import { type Channel, type ChannelModel, connect } from 'amqplib'
import { errAsync, okAsync, ResultAsync } from 'neverthrow'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type RabbitEventBroker, type RabbitLimits, rabbitEventBroker } from '../src/rabbitmq/rabbit-event-broker.ts'
import { openRabbit, type Rabbit, rabbitIsHere } from './rabbitmq.ts'
import { systemClock as clock, systemRandom as random } from './system.ts'
import { tcpProxy } from './tcp-proxy.ts'
import { eventAt, recorder } from './world.ts'

const quick: Partial<RabbitLimits> = { confirmTimeoutMs: 2_000, pauseBaseMs: 5, pauseCapMs: 20, drainMs: 500 }
const timeout = 10_000

describe.skipIf(!rabbitIsHere())('rabbitEventBroker', { timeout: 30_000 }, () => {
  let rabbit: Rabbit
  let operator: ChannelModel
  let channel: Channel
  const closers: (() => Promise<void>)[] = []

  beforeAll(async () => {
    rabbit = await openRabbit()
    operator = await connect(rabbit.url)
    channel = await operator.createChannel()
  }, 120_000)
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close()
  })
  afterAll(async () => {
    await operator.close()
    await rabbit.stop()
  })

  type Opened = Readonly<{ broker: RabbitEventBroker; prefix: string; log: FakeLog }>

  function open(limits: Partial<RabbitLimits> = {}, urls: readonly string[] = [rabbit.url], prefix = `${randomUUID()}.`): Opened {
    const log = fakeLog()
    const broker = rabbitEventBroker({ urls, clock, random, log, prefix, limits: { ...quick, ...limits } })
    closers.push(async () => {
      await broker.close()
      const sweeping = await operator.createChannel()
      for (const queue of ['dispatch', 'dead', 'parked', 'ledger']) await sweeping.deleteQueue(`${prefix}cbp.${queue}`)
      for (const exchange of ['events', 'cbp.dead-letters']) await sweeping.deleteExchange(`${prefix}${exchange}`)
      await sweeping.close()
    })
    return { broker, prefix, log }
  }

  const published = async (broker: RabbitEventBroker, sequence: number): Promise<string> =>
    (await broker.publish(eventAt('a', sequence))).match(
      () => 'confirmed',
      ({ kind, reason }) => `${kind}: ${reason}`,
    )
  const confirmedAtLast = (broker: RabbitEventBroker, sequence: number): Promise<void> =>
    expect.poll(() => published(broker, sequence), { timeout }).toBe('confirmed')
  const depth = async (queue: string): Promise<number> => (await channel.checkQueue(queue)).messageCount
  const sequences = ({ deliveries }: Readonly<{ deliveries: readonly Delivery[] }>): readonly number[] =>
    deliveries.map(({ sequence }) => sequence)

  /** A queue that takes nothing, bound to everything. */
  const nacking = async (exchange: string): Promise<string> => {
    const { queue } = await channel.assertQueue('', { exclusive: true, durable: false, maxLength: 0, overflow: 'reject-publish' })
    await channel.bindQueue(queue, exchange, '#')
    return queue
  }

  describe('publishing', () => {
    it('puts exactly the wire form into the body, and the rest beside it', async () => {
      const { broker, prefix } = open()
      const event = { ...eventAt('a', 7), traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
      expect((await broker.publish(event)).isOk()).toBe(true)
      const message = await channel.get(`${prefix}cbp.dispatch`, { noAck: true })
      if (message === false) throw new Error('nothing arrived')
      expect(JSON.parse(message.content.toString())).toEqual({ type: event.event.type, payload: event.event.payload })
      expect(message.fields).toMatchObject({ exchange: `${prefix}events`, routingKey: 'config.updated' })
      const headers = { 'cbp-stream': 'a', 'cbp-sequence': 7, 'cbp-occurred-at': event.occurredAt, traceparent: event.traceparent }
      expect(message.properties).toMatchObject({ messageId: event.id, deliveryMode: 2, contentType: 'application/json', headers })
    })

    it('refuses an event that the exchange returns, and binds its queue again', async () => {
      const { broker, prefix } = open()
      expect(await published(broker, 1)).toBe('confirmed')
      await channel.unbindQueue(`${prefix}cbp.dispatch`, `${prefix}events`, '#')
      expect(await published(broker, 2)).toBe('event-refused: the broker returned the event: NO_ROUTE')
      expect(await published(broker, 2)).toBe('confirmed')
    })

    it('declares its queue again when it was deleted', async () => {
      const { broker, prefix } = open()
      expect(await published(broker, 1)).toBe('confirmed')
      await channel.deleteQueue(`${prefix}cbp.dispatch`)
      expect(await published(broker, 2)).toContain('event-refused')
      await confirmedAtLast(broker, 2)
      expect(await depth(`${prefix}cbp.dispatch`)).toBe(1)
    })

    it('declares its exchange again when it was deleted', async () => {
      const { broker, prefix } = open()
      expect(await published(broker, 1)).toBe('confirmed')
      await channel.deleteExchange(`${prefix}events`)
      expect(await published(broker, 2)).toContain('broker-unavailable')
      await confirmedAtLast(broker, 2)
    })

    it('refuses an event that a queue does not take, while others are confirmed', async () => {
      const { broker, prefix } = open()
      expect(await published(broker, 1)).toBe('confirmed')
      const full = await nacking(`${prefix}events`)
      expect(await published(broker, 2)).toMatch(/^event-refused: .*nack/)
      await channel.deleteQueue(full)
      await confirmedAtLast(broker, 2)
    })

    it('takes it for a lost broker when nothing is confirmed any more', async () => {
      const { broker, prefix } = open()
      expect(await published(broker, 1)).toBe('confirmed')
      const full = await nacking(`${prefix}events`)
      await clock.sleep(1_100)
      expect(await published(broker, 2)).toMatch(/^broker-unavailable: .*nack/)
      await channel.deleteQueue(full)
      await confirmedAtLast(broker, 2)
    })

    it('answers by the deadline when no confirm comes, and goes on over another connection', async () => {
      const proxy = await tcpProxy(rabbit.url)
      closers.push(proxy.stop)
      const { broker } = open({ confirmTimeoutMs: 300 }, [proxy.url])
      const consumer = recorder('ledger')
      broker.subscribe(consumer)
      await confirmedAtLast(broker, 1)
      proxy.holdAnswers()
      expect(await published(broker, 2)).toBe('broker-unavailable: no confirm within 300 ms')
      proxy.passAnswers()
      await confirmedAtLast(broker, 2)
      await expect.poll(() => new Set(sequences(consumer)), { timeout }).toEqual(new Set([1, 2]))
    })

    it('answers for what is unconfirmed when the connection is cut, whose event has arrived all the same', async () => {
      const proxy = await tcpProxy(rabbit.url)
      closers.push(proxy.stop)
      const { broker, prefix } = open({ confirmTimeoutMs: 60_000 }, [proxy.url])
      expect(await published(broker, 1)).toBe('confirmed')
      proxy.holdAnswers()
      const answer = published(broker, 2)
      await expect.poll(() => depth(`${prefix}cbp.dispatch`), { timeout }).toBe(2)
      proxy.passAnswers()
      proxy.cut()
      expect(await answer).toContain('broker-unavailable')
      expect(await published(broker, 2)).toBe('confirmed')
      expect(await depth(`${prefix}cbp.dispatch`)).toBe(3)
    })

    it('takes the next URL when a node is away', async () => {
      const { broker } = open({}, ['amqp://guest:guest@127.0.0.1:1', rabbit.url])
      await confirmedAtLast(broker, 1)
    })

    it('confirms more at once than it has in flight', async () => {
      const { broker } = open({ window: 8 })
      const answers = await Promise.all(Array.from({ length: 500 }, (_, index) => published(broker, index + 1)))
      expect(new Set(answers)).toEqual(new Set(['confirmed']))
      expect(broker.health().unconfirmed).toBe(0)
    })

    it('takes nothing once it is closed, and can be closed without ever having been used', async () => {
      const broker = rabbitEventBroker({ urls: [rabbit.url], clock, random, log: fakeLog() })
      await broker.close()
      expect(await published(broker, 1)).toBe('broker-unavailable: the broker is closed')
    })
  })

  describe('consuming', () => {
    it('reads its queue again when it was deleted', async () => {
      const { broker, prefix } = open()
      const consumer = recorder('ledger')
      broker.subscribe(consumer)
      expect(await published(broker, 1)).toBe('confirmed')
      await expect.poll(() => sequences(consumer), { timeout }).toEqual([1])
      await channel.deleteQueue(`${prefix}cbp.ledger`)
      await expect.poll(async () => (await published(broker, 2)) === 'confirmed' && sequences(consumer).includes(2), { timeout }).toBe(true)
    })

    it('shares its queue with its other instances', async () => {
      const { broker, prefix } = open({ prefetch: 1 })
      const { broker: elsewhere } = open({ prefetch: 1 }, [rabbit.url], prefix)
      const [one, two] = [recorder('ledger'), recorder('ledger')]
      broker.subscribe(one)
      elsewhere.subscribe(two)
      expect(await published(broker, 1)).toBe('confirmed')
      expect(await published(elsewhere, 1)).toBe('confirmed')
      await Promise.all(Array.from({ length: 200 }, (_, index) => published(broker, index + 2)))
      await expect.poll(() => new Set([...sequences(one), ...sequences(two)]).size, { timeout }).toBe(201)
      expect([one, two].map(({ deliveries }) => deliveries.length > 10)).toEqual([true, true])
    })

    it('finishes what is in hand when it stops, and leaves the rest to others', async () => {
      const { broker, prefix } = open({ concurrency: 1 })
      let finish: () => void = () => {}
      const seen: number[] = []
      const slow: EventConsumer = {
        name: 'ledger',
        topics: ['#'],
        handle({ sequence }) {
          seen.push(sequence)
          return new ResultAsync(new Promise((resolve) => (finish = () => resolve(okAsync<void, EventRefused>(undefined)))))
        },
      }
      const stop = broker.subscribe(slow)
      for (const sequence of [1, 2, 3]) expect(await published(broker, sequence)).toBe('confirmed')
      await expect.poll(() => seen, { timeout }).toEqual([1])
      const stopped = stop()
      finish()
      await stopped
      expect(seen).toEqual([1])
      const other = recorder('ledger')
      open({}, [rabbit.url], prefix).broker.subscribe(other)
      await expect.poll(() => sequences(other), { timeout }).toEqual([2, 3])
    })

    it('names a queue that is there with other arguments', async () => {
      const prefix = `${randomUUID()}.`
      await channel.assertQueue(`${prefix}cbp.ledger`, { durable: true })
      const { broker, log } = open({}, [rabbit.url], prefix)
      broker.subscribe(recorder('ledger'))
      expect(await published(broker, 1)).toBe('confirmed')
      const problem = expect.stringMatching(new RegExp(`queue "${prefix}cbp.ledger" cannot be declared .*PRECONDITION`))
      expect(broker.health().problems).toContainEqual(problem)
      expect(log.entries.map(({ fields }) => fields['reason'])).toContainEqual(problem)
      // Its events wait in the queue as it is.
      expect(await depth(`${prefix}cbp.ledger`)).toBe(1)
    })
  })

  describe('dead letters', () => {
    /** Refuses event 1, and accepts every other. */
    const choosy = (aside: Pick<EventConsumer, 'setAside'>): EventConsumer => ({
      name: 'ledger',
      topics: ['#'],
      handle: ({ sequence }) => (sequence === 1 ? errAsync({ kind: 'event-refused', reason: 'no' }) : okAsync(undefined)),
      ...aside,
    })

    it('are set aside by their consumer once the queue has given up on them', async () => {
      const { broker, prefix } = open({ deliveryLimit: 3 })
      const aside: string[] = []
      const setAside: EventConsumer['setAside'] = ({ stream, sequence }, reason) => {
        aside.push(`${stream} ${sequence}: ${reason}`)
        return aside.length < 3 ? errAsync({ kind: 'event-refused', reason: 'the store is away' }) : okAsync(undefined)
      }
      broker.subscribe(choosy({ setAside }))
      expect(await published(broker, 1)).toBe('confirmed')
      let sequence = 2
      await expect.poll(async () => (await published(broker, sequence++)) === 'confirmed' && aside.length, { timeout }).toBe(3)
      expect(new Set(aside)).toEqual(new Set(['a 1: delivered too often without being accepted']))
      await expect.poll(() => depth(`${prefix}cbp.dead`), { timeout }).toBe(0)
      expect(await depth(`${prefix}cbp.parked`)).toBe(0)
    })

    it('are not made by a consumer that refuses everything', async () => {
      const { broker, prefix } = open({ deliveryLimit: 1 })
      let refusals = 0
      const seen: number[] = []
      broker.subscribe({
        name: 'ledger',
        topics: ['#'],
        handle({ sequence }) {
          refusals += 1
          if (refusals <= 50) return errAsync({ kind: 'event-refused', reason: 'the store is away' })
          seen.push(sequence)
          return okAsync(undefined)
        },
      })
      for (const sequence of [1, 2]) expect(await published(broker, sequence)).toBe('confirmed')
      await expect.poll(() => new Set(seen), { timeout }).toEqual(new Set([1, 2]))
      expect(await depth(`${prefix}cbp.parked`)).toBe(0)
    })

    it('are parked when they are no events, and named', async () => {
      const { broker, prefix, log } = open()
      const consumer = recorder('ledger')
      broker.subscribe(consumer)
      expect(await published(broker, 1)).toBe('confirmed')
      const bodies = ['not JSON', '{"type":"UNHEARD_OF","payload":{}}', JSON.stringify({ type: 'CONFIG_UPDATED', payload: {} })]
      for (const [index, body] of bodies.entries()) {
        channel.publish(`${prefix}events`, 'config.updated', Buffer.from(body), { messageId: `stranger-${index}` })
      }
      // Each went to both queues.
      await expect.poll(() => depth(`${prefix}cbp.parked`), { timeout }).toBe(3)
      expect(await published(broker, 2)).toBe('confirmed')
      await expect.poll(() => sequences(consumer), { timeout }).toEqual([1, 2])
      expect(log.entries.map(({ fields }) => fields['message'])).toContain('stranger-0')
    })

    it('are parked when their consumer keeps none', async () => {
      const { broker, prefix } = open({ deliveryLimit: 1 })
      broker.subscribe(choosy({}))
      expect(await published(broker, 1)).toBe('confirmed')
      let sequence = 2
      const parked = (): Promise<number> => depth(`${prefix}cbp.parked`)
      await expect.poll(async () => (await published(broker, sequence++)) === 'confirmed' && (await parked()), { timeout }).toBe(1)
    })
  })
})
