import type { EventBroker, EventConsumer } from '@cbp/core'
import type { ChannelModel } from 'amqplib'
import { deadLetterDrain } from './dead-letter-drain.ts'
import { type DeliveryLimits, eventDeliveries } from './event-deliveries.ts'
import type { RefusalLimits } from './offer.ts'
import { type PublisherLimits, publisher } from './publisher.ts'
import { type QueueReader, queueReader } from './queue-reader.ts'
import { type LinkDependencies, type LinkState, type RabbitLink, rabbitLink } from './rabbit-link.ts'
import { type ConsumerQueue, topologyOf } from './topology.ts'

export type RabbitLimits = PublisherLimits &
  DeliveryLimits &
  RefusalLimits &
  Readonly<{
    /** Deliveries of one message to one consumer before it becomes a dead letter. Part of the queues: they cannot be given another. */
    deliveryLimit: number
    /** How long stopping waits for what is in hand. */
    drainMs: number
  }>

export type RabbitEventBrokerOptions = LinkDependencies &
  Readonly<{
    /** Comes before every name at the broker. */
    prefix?: string
    limits?: Partial<RabbitLimits>
  }>

export type RabbitHealth = Readonly<{
  publishing: LinkState
  consuming: LinkState
  /** Queues that are not as they must be, or not read. */
  problems: readonly string[]
  /** Published and not confirmed yet. */
  unconfirmed: number
}>

export type RabbitEventBroker = EventBroker &
  Readonly<{
    health(): RabbitHealth
    /** Takes no more events, finishes what is in hand, and closes its connections. */
    close(): Promise<void>
  }>

export const defaultLimits: RabbitLimits = {
  window: 1024,
  confirmTimeoutMs: 8_000,
  prefetch: 128,
  concurrency: 64,
  pauseBaseMs: 50,
  pauseCapMs: 15_000,
  holdMs: 900_000,
  deliveryLimit: 20,
  drainMs: 4_000,
}

/**
 * Events over RabbitMQ, as ADR 10 describes. Connects at the first use and, whenever it must, again; nothing here throws
 * because the broker is away. Several instances of a consumer, here or elsewhere, share its queue.
 */
export function rabbitEventBroker({ prefix = '', limits: given, ...link }: RabbitEventBrokerOptions): RabbitEventBroker {
  const limits: RabbitLimits = { ...defaultLimits, ...given }
  const topology = topologyOf(prefix, limits.deliveryLimit)
  const publishing = publisher(link, topology, limits)
  const deps = { ...link, limits }
  const consumers = new Map<QueueReader, EventConsumer>()
  const stops = new Set<() => Promise<void>>()
  let model: ChannelModel | null = null

  const drain = queueReader(
    deps,
    deadLetterDrain(deps, topology, (name) => [...consumers.values()].find((consumer) => consumer.name === name) ?? null),
  )
  const readers = (): readonly QueueReader[] => [drain, ...consumers.keys()]
  const consuming: RabbitLink = rabbitLink(link, 'consuming', {
    async opened(connection) {
      model = connection
      for (const reader of readers()) reader.attach(connection, consuming.recycle)
    },
    lost() {
      model = null
      for (const reader of readers()) reader.detach()
    },
  })

  return {
    publish: publishing.publish,
    subscribe(consumer) {
      const queue: ConsumerQueue = { consumer: consumer.name, queue: topology.queueOf(consumer.name), topics: consumer.topics }
      const deliveries = eventDeliveries(deps, topology, queue, consumer, limits)
      const reader = queueReader(deps, deliveries.task)
      publishing.addQueue(queue)
      consumers.set(reader, consumer)
      if (model !== null) reader.attach(model, consuming.recycle)
      consuming.start()
      const stop = async (): Promise<void> => {
        publishing.removeQueue(queue)
        deliveries.stop()
        await reader.stop(limits.drainMs)
        consumers.delete(reader)
        stops.delete(stop)
      }
      stops.add(stop)
      return stop
    },
    health: () => ({
      publishing: publishing.state(),
      consuming: consuming.state(),
      problems: [...new Set([...publishing.problems(), ...readers().flatMap((reader) => reader.problem() ?? [])])],
      unconfirmed: publishing.unconfirmed(),
    }),
    async close() {
      await Promise.all([publishing.close(), drain.stop(limits.drainMs), ...[...stops].map((stop) => stop())])
      await consuming.close()
    },
  }
}
