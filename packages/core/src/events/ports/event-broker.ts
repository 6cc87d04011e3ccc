import type { ResultAsync } from 'neverthrow'
import type { SequencedEvent } from '../event.ts'

/** The broker did not confirm: lost, closing, or silent past the deadline. The event may or may not have arrived. */
export type BrokerUnavailable = Readonly<{ kind: 'broker-unavailable'; reason: string }>

/**
 * The broker or a consumer refused this event. Others may fare better. `isPutOff`: nothing is known against the event, its
 * consumer only could not take it now; that is tried again and not counted.
 */
export type EventRefused = Readonly<{ kind: 'event-refused'; reason: string; isPutOff?: true }>

/** One copy of an event in the hands of a consumer. */
export type Delivery = SequencedEvent & Readonly<{ replayed: boolean }>

export type EventConsumer = Readonly<{
  /** Names the consumer for good: its place in the streams is kept under this name. */
  name: string
  /** Routing keys taken, as topic patterns: `*` is one word, `#` any number. */
  topics: readonly string[]
  /** Answers only once the effect is durable. May be called again with the same event. */
  handle(delivery: Delivery): ResultAsync<void, EventRefused>
  /**
   * The broker has given up on this delivery, and forgets it once this is accepted. Must not try the event itself again:
   * it may be what ended those that tried.
   */
  setAside?(delivery: Delivery, reason: string): ResultAsync<void, EventRefused>
}>

/**
 * Port: where events go. At least once; an event is never confirmed before every queue bound to it holds it durably.
 */
export interface EventBroker {
  publish(event: SequencedEvent): ResultAsync<void, BrokerUnavailable | EventRefused>
  /** Starts delivering; returns how to stop. */
  subscribe(consumer: EventConsumer): () => Promise<void>
}
