import { okAsync } from 'neverthrow'
import type { EventBroker, EventConsumer, SequencedEvent } from '../../events/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/random.ts'

/** A broker whose queues hold what consumers have not accepted yet. */
export type QueuedBroker = EventBroker & Readonly<{ isEmpty: () => boolean }>

type Queue = { readonly waiting: SequencedEvent[]; instances: Member[]; inFlight: number; next: number }
type Member = Readonly<{ consumer: EventConsumer; gone: Promise<null>; leave: () => void }>

type Options = Readonly<{ clock: Clock; random: Random; names: readonly string[]; isFaulty: () => boolean }>

/** Deliveries of one queue that are with its consumers at a time: enough to overtake each other. */
const prefetch = 4
const redeliveryMs = 500

/**
 * Confirms as soon as every queue holds the event. Each queue shares its events out among the instances of its consumer,
 * several at once; what is refused, or was with a process that died, comes again later, behind others. Some come twice.
 */
export function queuedBroker({ clock, random, names, isFaulty }: Options): QueuedBroker {
  const queues = new Map(names.map((name): [string, Queue] => [name, { waiting: [], instances: [], inFlight: 0, next: 0 }]))

  const deliver = async (queue: Queue, member: Member, event: SequencedEvent): Promise<void> => {
    queue.inFlight += 1
    const taken = await Promise.race([member.consumer.handle({ ...event, replayed: false }), member.gone])
    const comesAgain = taken === null || taken.isErr() || (isFaulty() && random.fraction() < 0.05)
    if (comesAgain) {
      await clock.sleep(Math.ceil(random.fraction() * redeliveryMs))
      queue.waiting.push(event)
    }
    queue.inFlight -= 1
    pump(queue)
  }
  const pump = (queue: Queue): void => {
    while (queue.inFlight < prefetch && queue.instances.length > 0) {
      const event = queue.waiting.shift()
      if (event === undefined) return
      queue.next += 1
      const member = queue.instances[queue.next % queue.instances.length]
      if (member !== undefined) void deliver(queue, member, event)
    }
  }

  return {
    publish(event) {
      for (const queue of queues.values()) {
        queue.waiting.push(event)
        pump(queue)
      }
      return okAsync(undefined)
    },
    subscribe(consumer) {
      const queue = queues.get(consumer.name)
      if (queue === undefined) throw new Error(`there is no queue for "${consumer.name}"`)
      let leave = (): void => {}
      const gone = new Promise<null>((resolve) => {
        leave = () => resolve(null)
      })
      const member: Member = { consumer, gone, leave }
      queue.instances = [...queue.instances, member]
      pump(queue)
      return async () => {
        queue.instances = queue.instances.filter((each) => each !== member)
        member.leave()
      }
    },
    isEmpty: () => [...queues.values()].every(({ waiting, inFlight }) => waiting.length === 0 && inFlight === 0),
  }
}
