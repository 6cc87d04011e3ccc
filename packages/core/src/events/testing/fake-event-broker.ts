import { err, ok, okAsync, type Result, ResultAsync } from 'neverthrow'
import { routingKey, type SequencedEvent } from '../event.ts'
import type { Delivery, EventBroker, EventConsumer, EventRefused } from '../ports/event-broker.ts'

export type FakeEventBroker = EventBroker &
  Readonly<{
    /** Every delivery that a consumer accepted, in that order. */
    accepted: readonly Readonly<{ consumer: string; delivery: Delivery }>[]
  }>

/**
 * Confirms an event once every consumer whose topics match it has accepted it. Several subscriptions of one name are
 * instances of one consumer: each event goes to one of them in turn.
 */
export function fakeEventBroker(): FakeEventBroker {
  const accepted: Readonly<{ consumer: string; delivery: Delivery }>[] = []
  const instances = new Map<string, EventConsumer[]>()

  const deliver = (consumer: EventConsumer, event: SequencedEvent): ResultAsync<void, EventRefused> => {
    const delivery: Delivery = { ...event, replayed: false }
    return consumer.handle(delivery).andTee(() => accepted.push({ consumer: consumer.name, delivery }))
  }

  return {
    accepted,
    publish(event) {
      const key = routingKey(event.event.type)
      const takers = [...instances.values()].flatMap((consumers): readonly EventConsumer[] => {
        const [next, ...others] = consumers
        if (next === undefined || !next.topics.some((pattern) => topicMatches(pattern, key))) return []
        consumers.splice(0, consumers.length, ...others, next)
        return [next]
      })
      if (takers.length === 0) return okAsync(undefined)
      return new ResultAsync(Promise.all(takers.map((taker) => deliver(taker, event))).then(firstRefusal))
    },
    subscribe(consumer) {
      const consumers = instances.get(consumer.name) ?? []
      instances.set(consumer.name, [...consumers, consumer])
      return async () => {
        const remaining = (instances.get(consumer.name) ?? []).filter((each) => each !== consumer)
        instances.set(consumer.name, remaining)
      }
    },
  }
}

function firstRefusal(results: readonly Result<void, EventRefused>[]): Result<void, EventRefused> {
  const refusal = results.find((result) => result.isErr())
  return refusal?.isErr() ? err(refusal.error) : ok()
}

/** Whether a routing key falls under a topic pattern: `*` is one word, `#` any number of them. */
export function topicMatches(pattern: string, key: string): boolean {
  return wordsMatch(pattern.split('.'), key.split('.'))
}

function wordsMatch([first, ...patterns]: readonly string[], words: readonly string[]): boolean {
  if (first === undefined) return words.length === 0
  if (first === '#') return wordsMatch(patterns, words) || (words.length > 0 && wordsMatch(['#', ...patterns], words.slice(1)))
  return words.length > 0 && (first === '*' || first === words[0]) && wordsMatch(patterns, words.slice(1))
}
