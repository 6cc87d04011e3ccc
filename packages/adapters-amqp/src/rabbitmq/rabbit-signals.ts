import { type Clock, cancelSource, type Signals, type Topic } from '@cbp/core'
import type { Channel, ChannelModel } from 'amqplib'
import { inProcessSignals } from '../in-process/in-process-signals.ts'
import { type LinkDependencies, type LinkState, rabbitLink } from './rabbit-link.ts'
import { openQuietly } from './topology.ts'
import { within } from './within.ts'

export type RabbitSignalsOptions = LinkDependencies & Readonly<{ prefix?: string }>

export type RabbitSignals = Signals &
  Readonly<{
    state(): LinkState
    close(): Promise<void>
  }>

const topics: readonly Topic[] = ['revisions', 'events', 'deliveries', 'access']
/** Wake-ups of one topic within so long are one: each makes every instance look into the database. */
const togetherMs = 5

/** How long `close` may wait for a connection that is just being made. */
const lastWordsMs = 1_500

const nothing = Buffer.alloc(0)

/**
 * Wake-ups for every instance. Those of this process are woken before `raise` returns; the others by a message that nobody
 * waits for or repeats: whoever misses it finds out by polling. After a connection was lost everybody is woken once.
 */
export function rabbitSignals({ prefix = '', ...deps }: RabbitSignalsOptions): RabbitSignals {
  const exchange = `${prefix}cbp.wake-ups`
  const own = inProcessSignals()
  let channel: Channel | null = null
  let queue = ''
  let isBlocked = false
  const unsent = untold()

  const link = rabbitLink(deps, 'wake-ups', {
    async opened(model) {
      const opened = await openOwnQueue(model, exchange, (topic, from) => {
        if (from !== queue) own.raise(topic)
      })
      queue = opened.queue
      channel = opened.channel
      channel.on('close', () => {
        if (channel === opened.channel) link.recycle('the channel was closed')
      })
      isBlocked = false
      for (const topic of topics) own.raise(topic)
      unsent.tell(send)
    },
    lost() {
      channel = null
    },
    blocked(reason) {
      isBlocked = reason !== null
    },
  })

  const send = (raised: Iterable<Topic>): void => {
    for (const topic of raised) {
      try {
        if (channel === null || isBlocked) unsent.add(topic)
        else channel.publish(exchange, topic, nothing, { appId: queue })
      } catch {
        // The connection has just been lost.
        unsent.add(topic)
      }
    }
  }
  const together = atMostEvery(deps.clock, togetherMs, send)
  link.start()

  /** The end of a connection may overtake what was published in it; that of a channel does not. */
  async function delivered(): Promise<void> {
    const ending = channel
    channel = null
    if (ending !== null && !isBlocked)
      await within(
        deps.clock,
        lastWordsMs,
        ending.close().catch(() => {}),
      )
  }

  return {
    raise(topic) {
      own.raise(topic)
      together.add(topic)
    },
    listen: own.listen,
    state: link.state,
    async close() {
      send(together.stop())
      // A short-lived program may end before it is connected: what it did, the others should still hear of at once.
      await within(deps.clock, lastWordsMs, unsent.told())
      await delivered()
      await link.close()
    },
  }
}

async function openOwnQueue(
  model: ChannelModel,
  exchange: string,
  heard: (topic: Topic, from: unknown) => void,
): Promise<Readonly<{ channel: Channel; queue: string }>> {
  const channel = await openQuietly(model)
  await channel.assertExchange(exchange, 'fanout', { durable: false })
  const { queue } = await channel.assertQueue('', {
    exclusive: true,
    autoDelete: true,
    durable: false,
    // Whoever is this far behind polls anyway.
    maxLength: 100,
    arguments: { 'x-queue-type': 'classic' },
  })
  await channel.bindQueue(queue, exchange, '')
  const consumed = await channel.consume(
    queue,
    (message) => {
      if (message === null) return void channel.close().catch(() => {})
      const topic = topics.find((each) => each === message.fields.routingKey)
      if (topic !== undefined) heard(topic, message.properties.appId)
    },
    { noAck: true },
  )
  return { channel, queue, ...consumed }
}

/** Topics that were raised while there was nobody to tell: at most every one of them once. */
function untold(): Readonly<{ add(topic: Topic): void; tell(send: (topics: readonly Topic[]) => void): void; told(): Promise<void> }> {
  const left = new Set<Topic>()
  let allTold: () => void = () => {}
  return {
    add: (topic) => void left.add(topic),
    /** What `send` cannot send, it adds again. */
    tell(send) {
      const late = [...left]
      left.clear()
      send(late)
      if (left.size === 0) allTold()
    },
    told: () =>
      new Promise((resolve) => {
        if (left.size === 0) resolve()
        else allTold = resolve
      }),
  }
}

/** The first goes out at once, what comes soon after goes out together. */
function atMostEvery(
  clock: Clock,
  ms: number,
  send: (topics: Iterable<Topic>) => void,
): Readonly<{ add(topic: Topic): void; stop(): readonly Topic[] }> {
  const raised = new Set<Topic>()
  const { signal, cancel } = cancelSource()
  let isPausing = false
  const pause = async (): Promise<void> => {
    isPausing = true
    for (;;) {
      await clock.sleep(ms, signal)
      if (raised.size === 0 || signal.aborted) break
      const together = [...raised]
      raised.clear()
      send(together)
    }
    isPausing = false
  }
  return {
    add(topic) {
      if (isPausing) raised.add(topic)
      else {
        send([topic])
        void pause()
      }
    },
    /** Answers what was not sent yet. */
    stop() {
      cancel()
      const left = [...raised]
      raised.clear()
      return left
    },
  }
}
