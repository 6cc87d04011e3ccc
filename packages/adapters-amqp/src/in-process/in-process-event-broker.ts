import { type BrokerUnavailable, type Delivery, type EventBroker, type EventRefused, type EventType, routingKey } from '@cbp/core'
import { errAsync, ok, okAsync, ResultAsync } from 'neverthrow'
import { type Acceptance, type ConsumerLanes, consumerLanes } from './consumer-lanes.ts'
import { matchesTopic } from './topic-pattern.ts'

export type InProcessEventBrokerOptions = Readonly<{
  /** How many events one consumer is handed at a time; those of one stream always come one by one. */
  concurrency?: number
}>

export type InProcessEventBroker = EventBroker &
  Readonly<{
    /** Takes no more events, and resolves once every consumer has answered for those that it was handed. */
    close(): Promise<void>
  }>

const defaultConcurrency = 64
const closed: BrokerUnavailable = { kind: 'broker-unavailable', reason: 'the broker is closed' }

/**
 * Events within one process. An event is confirmed once every consumer whose topics match it has accepted it: the
 * outbox, which is durable, stands in for the queues. When one consumer refuses, publishing the event again hands it to
 * all of them again.
 *
 * An event that no consumer takes is confirmed too: nobody has asked for it, and a refusal would block its stream for good.
 */
export function inProcessEventBroker({ concurrency = defaultConcurrency }: InProcessEventBrokerOptions = {}): InProcessEventBroker {
  const byName = new Map<string, ConsumerLanes>()
  /** Worked out at the first event of a type, and again when the consumers change. */
  const routes = new Map<EventType, readonly ConsumerLanes[]>()
  let isClosed = false

  const route = (type: EventType): readonly ConsumerLanes[] => {
    const key = routingKey(type)
    const takers = [...byName.values()].filter(({ consumer }) => consumer.topics.some((pattern) => matchesTopic(pattern, key)))
    routes.set(type, takers)
    return takers
  }

  return {
    publish(event): ResultAsync<void, BrokerUnavailable | EventRefused> {
      if (isClosed) return errAsync(closed)
      const takers = routes.get(event.event.type) ?? route(event.event.type)
      const [only] = takers
      if (only === undefined) return okAsync(undefined)
      const delivery: Delivery = { ...event, replayed: false }
      return new ResultAsync(takers.length === 1 ? only.offer(delivery) : offerToAll(takers, delivery))
    },
    subscribe(consumer) {
      if (byName.has(consumer.name)) throw new Error(`there is a consumer "${consumer.name}" already`)
      const lanes = consumerLanes(consumer, concurrency)
      byName.set(consumer.name, lanes)
      routes.clear()
      return async () => {
        if (byName.get(consumer.name) === lanes) {
          byName.delete(consumer.name)
          routes.clear()
        }
        await lanes.whenIdle()
      }
    },
    async close() {
      isClosed = true
      await Promise.all([...byName.values()].map((lanes) => lanes.whenIdle()))
    },
  }
}

async function offerToAll(takers: readonly ConsumerLanes[], delivery: Delivery): Promise<Acceptance> {
  const answers = await Promise.all(takers.map((taker) => taker.offer(delivery)))
  const refusals = answers.filter((answer) => answer.isErr())
  return refusals.find(({ error }) => error.isPutOff !== true) ?? refusals[0] ?? ok()
}
