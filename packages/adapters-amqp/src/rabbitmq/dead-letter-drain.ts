import { type CancelSignal, type Delivery, type EventConsumer, type EventRefused, fullJitterMs } from '@cbp/core'
import type { ConsumeMessage } from 'amqplib'
import { err, type Result } from 'neverthrow'
import { deliveryOf } from './message.ts'
import { type Acceptances, type OfferDependencies, offerUntilAccepted } from './offer.ts'
import { nameOf, type QueueTask, type ReaderDependencies, type Verdict } from './queue-reader.ts'
import { declareDead, type Topology } from './topology.ts'

type SetAside = NonNullable<EventConsumer['setAside']>

const prefetch = 16
/** A consumer that is unknown here may be known to another instance. */
const unknownPause = { baseMs: 1_000, capMs: 15_000 }

/** Brings what queues have given up on to their consumers, who keep it where it can be seen and replayed. */
export function deadLetterDrain(
  deps: ReaderDependencies & OfferDependencies,
  topology: Topology,
  /** By name; `null` where there is none here. */
  consumerNamed: (name: string) => EventConsumer | null,
): QueueTask {
  const acceptances: Acceptances = { count: 0 }
  const inTurn = oneByOne()

  const take = async (message: ConsumeMessage, cancel: CancelSignal): Promise<Verdict> => {
    const name = message.fields.routingKey
    const delivery = deliveryOf(message)
    const consumer = consumerNamed(name)
    const fields = { consumer: name, message: nameOf(message), queue: topology.parked }
    if (delivery === null) {
      deps.log.write('error', 'a dead letter is no event; it is parked', fields)
      return 'give-up'
    }
    if (consumer === null) {
      const { clock, random } = deps
      await clock.sleep(unknownPause.baseMs + fullJitterMs(random, 5, unknownPause.baseMs, unknownPause.capMs), cancel)
      return cancel.aborted ? 'leave' : 'requeue'
    }
    const { setAside } = consumer
    if (setAside === undefined) {
      deps.log.write('error', 'a dead letter is parked: its consumer keeps none', fields)
      return 'give-up'
    }
    const reason = reasonFor(message)
    // One by one in each stream, for a gap is closed by applying what is missing: that must not be the dead letter before.
    return offerUntilAccepted(deps, acceptances, message, cancel, () =>
      inTurn(`${name} ${delivery.stream}`, () => surviving(setAside, delivery, reason)),
    )
  }

  return { queue: topology.dead, prefetch, take, declare: (channel) => declareDead(channel, topology) }
}

function reasonFor({ properties }: ConsumeMessage): string {
  const why: string = properties.headers?.['x-first-death-reason'] ?? 'unknown'
  return why === 'delivery_limit' ? 'delivered too often without being accepted' : `dead-lettered by the broker: ${why}`
}

async function surviving(setAside: SetAside, delivery: Delivery, reason: string): Promise<Result<void, EventRefused>> {
  try {
    return await setAside(delivery, reason)
  } catch (defect) {
    return err({ kind: 'event-refused', reason: defect instanceof Error ? defect.message : String(defect) })
  }
}

/** Carries out work of one key one after another; the work must not reject. */
function oneByOne(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>()
  return (key, work) => {
    const before = last.get(key)
    const done = before === undefined ? work() : before.then(work)
    last.set(key, done)
    void done.then(() => {
      if (last.get(key) === done) last.delete(key)
    })
    return done
  }
}
