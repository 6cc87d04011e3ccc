import type { Delivery, EventConsumer, EventRefused, Stream } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'

export type Acceptance = Result<void, EventRefused>

/** One consumer's deliveries: one at a time for each stream, and only so many at a time in all. */
export interface ConsumerLanes {
  readonly consumer: EventConsumer
  /** Resolves once the consumer has answered; never rejects. */
  offer(delivery: Delivery): Promise<Acceptance>
  /** Resolves once nothing is offered that is not answered. */
  whenIdle(): Promise<void>
}

type Job = Readonly<{ delivery: Delivery; answer: (acceptance: Acceptance) => void }>

const accepted: Acceptance = ok()

export function consumerLanes(consumer: EventConsumer, concurrency: number): ConsumerLanes {
  /** A stream is here while an event of it is with the consumer or ready for it; behind it those that wait their turn. */
  const lanes = new Map<Stream, Job[]>()
  const ready: Job[] = []
  const idle: (() => void)[] = []
  let handling = 0

  const start = (job: Job): void => {
    handling += 1
    void handle(consumer, job.delivery).then((acceptance) => {
      handling -= 1
      job.answer(acceptance)
      advance(job.delivery.stream)
    })
  }

  const advance = (stream: Stream): void => {
    const next = lanes.get(stream)?.shift()
    if (next === undefined) lanes.delete(stream)
    else ready.push(next)
    while (handling < concurrency) {
      const job = ready.shift()
      if (job === undefined) break
      start(job)
    }
    if (lanes.size === 0) for (const resolve of idle.splice(0)) resolve()
  }

  return {
    consumer,
    offer: (delivery) =>
      new Promise((answer) => {
        const job: Job = { delivery, answer }
        const lane = lanes.get(delivery.stream)
        if (lane !== undefined) {
          lane.push(job)
          return
        }
        lanes.set(delivery.stream, [])
        if (handling < concurrency) start(job)
        else ready.push(job)
      }),
    whenIdle: () =>
      new Promise((resolve) => {
        if (lanes.size === 0) resolve()
        else idle.push(resolve)
      }),
  }
}

/** A consumer that throws has not accepted: the event is refused like any other, and the broker goes on. */
async function handle(consumer: EventConsumer, delivery: Delivery): Promise<Acceptance> {
  try {
    const outcome = await consumer.handle(delivery)
    return outcome.isOk() ? accepted : refusal(consumer, outcome.error)
  } catch (defect) {
    return refusal(consumer, { reason: defect instanceof Error ? defect.message : String(defect) })
  }
}

function refusal({ name }: EventConsumer, { reason, isPutOff }: Omit<EventRefused, 'kind'>): Acceptance {
  const refused: EventRefused = { kind: 'event-refused', reason: `consumer "${name}": ${reason}` }
  return err(isPutOff === true ? { ...refused, isPutOff } : refused)
}
