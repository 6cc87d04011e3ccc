import type { Log } from '@cbp/core'
import type { Channel, ChannelModel, Options } from 'amqplib'
import { reasonOf } from './reason.ts'

/** Where events go, and what holds them until they are consumed. */
export type Topology = Readonly<{
  /** Topic exchange of all events. */
  events: string
  /** Exchange for what a queue has given up on; the routing key is the consumer's name. */
  deadLetters: string
  /** What was given up on, until it is in SQL. */
  dead: string
  /** What cannot be brought to SQL: not an event, or of a consumer that nobody runs. Nothing reads it but people. */
  parked: string
  /** Bound to every event, so that each has a queue whoever consumes. */
  dispatch: string
  queueOf(consumer: string): string
  deliveryLimit: number
}>

/** A consumer's queue and the topics bound to it. */
export type ConsumerQueue = Readonly<{ consumer: string; queue: string; topics: readonly string[] }>

/** The consumer for whom every event is dispatched. */
const dispatchConsumer = 'webhooks'

/** @param prefix comes before every name, so that several platforms may share a virtual host */
export function topologyOf(prefix: string, deliveryLimit: number): Topology {
  const dispatch = `${prefix}cbp.dispatch`
  return {
    events: `${prefix}events`,
    deadLetters: `${prefix}cbp.dead-letters`,
    dead: `${prefix}cbp.dead`,
    parked: `${prefix}cbp.parked`,
    dispatch,
    queueOf: (consumer) => (consumer === dispatchConsumer ? dispatch : `${prefix}cbp.${consumer}`),
    deliveryLimit,
  }
}

/** Declares everything that publishing relies on. Rejects when the exchanges cannot be had; answers what is wrong with queues. */
export async function declareTopology(
  model: ChannelModel,
  topology: Topology,
  consumers: readonly ConsumerQueue[],
  log: Log,
): Promise<readonly string[]> {
  const channel = await openQuietly(model)
  await channel.assertExchange(topology.events, 'topic', { durable: true })
  await channel.assertExchange(topology.deadLetters, 'topic', { durable: true })
  await channel.close()
  const dispatch: ConsumerQueue = { consumer: dispatchConsumer, queue: topology.dispatch, topics: ['#'] }
  const problems: string[] = []
  const note = (problem: string | null): boolean => {
    if (problem === null) return true
    problems.push(problem)
    log.write('error', 'a queue is not as it must be', { reason: problem })
    return false
  }
  note(await declaredWith(model, (on) => declareParked(on, topology)))
  note(await declaredWith(model, (on) => declareDead(on, topology)))
  for (const queue of [dispatch, ...consumers]) {
    if (note(await declaredWith(model, (on) => declareConsumerQueue(on, topology, queue)))) continue
    // A queue with other arguments still gets its events, so that none passes it by until it is mended.
    await declaredWith(model, (on) => bindConsumerQueue(on, topology, queue))
  }
  return problems
}

/** A refused declaration closes its channel, so that each has one of its own. */
async function declaredWith(model: ChannelModel, declare: (channel: Channel) => Promise<void>): Promise<string | null> {
  const channel = await openQuietly(model)
  try {
    await declare(channel)
    await channel.close()
    return null
  } catch (error) {
    return reasonOf(error)
  }
}

/** A channel whose failures are seen by those who wait on it, never as an uncaught event. */
export async function openQuietly(model: ChannelModel): Promise<Channel> {
  const channel = await model.createChannel()
  channel.on('error', () => {})
  return channel
}

function declareParked(channel: Channel, { parked }: Topology): Promise<void> {
  return assertQueue(channel, parked, { arguments: { 'x-queue-type': 'quorum' } })
}

export async function declareDead(channel: Channel, { dead, deadLetters, parked, deliveryLimit }: Topology): Promise<void> {
  await assertQueue(channel, dead, quorum(deliveryLimit, '', parked))
  await channel.bindQueue(dead, deadLetters, '#')
}

export async function declareConsumerQueue(channel: Channel, topology: Topology, own: ConsumerQueue): Promise<void> {
  await assertQueue(channel, own.queue, quorum(topology.deliveryLimit, topology.deadLetters, own.consumer))
  await bindConsumerQueue(channel, topology, own)
}

async function bindConsumerQueue(channel: Channel, topology: Topology, { queue, topics }: ConsumerQueue): Promise<void> {
  for (const topic of queue === topology.dispatch ? ['#'] : topics) await channel.bindQueue(queue, topology.events, topic)
}

/** Everything that RabbitMQ leaves to defaults, which differ between its versions, is said. */
function quorum(deliveryLimit: number, deadLetterExchange: string, deadLetterRoutingKey: string): Options.AssertQueue {
  return {
    arguments: {
      'x-queue-type': 'quorum',
      'x-delivery-limit': deliveryLimit,
      'x-dead-letter-exchange': deadLetterExchange,
      'x-dead-letter-routing-key': deadLetterRoutingKey,
      'x-dead-letter-strategy': 'at-least-once',
      // At-least-once dead-lettering asks for it; without a length limit nothing is ever rejected for length.
      'x-overflow': 'reject-publish',
    },
  }
}

async function assertQueue(channel: Channel, queue: string, options: Options.AssertQueue): Promise<void> {
  try {
    await channel.assertQueue(queue, { durable: true, ...options })
  } catch (error) {
    const asked = JSON.stringify(options.arguments)
    throw new Error(`queue "${queue}" cannot be declared with ${asked}: ${reasonOf(error)}`, { cause: error })
  }
}
