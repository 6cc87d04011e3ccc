import type { CancelSignal, EventConsumer, EventRefused } from '@cbp/core'
import type { ConsumeMessage } from 'amqplib'
import { errAsync } from 'neverthrow'
import { consumerLanes } from '../in-process/consumer-lanes.ts'
import { deliveryOf } from './message.ts'
import { type Acceptances, type OfferDependencies, offerUntilAccepted } from './offer.ts'
import { nameOf, type QueueTask, type ReaderDependencies, type Verdict } from './queue-reader.ts'
import { type ConsumerQueue, declareConsumerQueue, type Topology } from './topology.ts'

export type DeliveryLimits = Readonly<{
  /** Events of one consumer in hand at a time. */
  prefetch: number
  /** Of these, with the consumer at a time; those of one stream go to it one by one. */
  concurrency: number
}>

const stopping: EventRefused = { kind: 'event-refused', reason: 'the consumer is stopping' }

/** What one consumer's queue delivers, each stream in the order in which it comes. */
export function eventDeliveries(
  deps: ReaderDependencies & OfferDependencies,
  topology: Topology,
  own: ConsumerQueue,
  consumer: EventConsumer,
  { prefetch, concurrency }: DeliveryLimits,
): Readonly<{ task: QueueTask; stop(): void }> {
  let isStopped = false
  const acceptances: Acceptances = { count: 0 }
  const lanes = consumerLanes(
    { ...consumer, handle: (delivery) => (isStopped ? errAsync(stopping) : consumer.handle(delivery)) },
    concurrency,
  )
  const take = async (message: ConsumeMessage, cancel: CancelSignal): Promise<Verdict> => {
    const delivery = deliveryOf(message)
    if (delivery === null) {
      deps.log.write('error', 'a message is no event; it goes to the dead letters', { queue: own.queue, message: nameOf(message) })
      return 'give-up'
    }
    return offerUntilAccepted(deps, acceptances, message, cancel, () => lanes.offer(delivery))
  }
  return {
    task: { queue: own.queue, prefetch, take, declare: (channel) => declareConsumerQueue(channel, topology, own) },
    stop() {
      isStopped = true
    },
  }
}
