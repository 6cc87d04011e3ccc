import type { CancelSignal } from '../kernel/cancel.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { type AlertOnce, alertOnce } from './alert-once.ts'
import type { ConsumerDefinition } from './apply-event.ts'
import { type Consumer, type ConsumerCounts, consumer } from './consumer.ts'
import { type DeadLetters, deadLetters } from './dead-letters.ts'
import type { EventBroker } from './ports/event-broker.ts'
import type { DeadLetterStore } from './ports/inbox.ts'
import type { Outbox } from './ports/outbox.ts'
import { type Relay, type RelayDependencies, relay } from './relay.ts'

export type EventsService = Readonly<
  Pick<Outbox, 'backlog' | 'stream' | 'streams' | 'unblock'> &
    DeadLetters & {
      relayCounts: Relay['counts']
      /**
       * Background work of an instance: publishes what is committed, and takes part as each of its consumers for exactly
       * as long. Runs until cancelled, then until what is under way has ended.
       */
      relay: Relay['run']
      alertOnce: AlertOnce
      /** By the consumer's name. */
      consumerCounts: () => ReadonlyMap<string, ConsumerCounts>
    }
>

export type EventsDependencies = Omit<RelayDependencies, 'broker'> &
  Readonly<{
    eventBroker: EventBroker
    deadLetterStore: DeadLetterStore
    unitOfWork: UnitOfWork<Transaction>
    ids: IdSource
    /** Each name once: it is the consumer's place in the streams, for good. */
    consumers: readonly ConsumerDefinition[]
  }>

/** Relay, consumers and dead letters of one instance. */
export function eventsService(deps: EventsDependencies): EventsService {
  const { outbox, eventBroker: broker } = deps
  const consumers = byName(deps.consumers.map((definition) => consumer(deps, definition)))
  const { run, counts } = relay({ ...deps, broker })
  return {
    backlog: outbox.backlog,
    stream: outbox.stream,
    streams: outbox.streams,
    unblock: outbox.unblock,
    ...deadLetters(deps),
    alertOnce: alertOnce(deps),
    relayCounts: counts,
    relay: (cancel) => runWithConsumers(broker, [...consumers.values()], run, cancel),
    consumerCounts: () => new Map(Array.from(consumers, ([name, each]) => [name, each.counts()])),
  }
}

function byName(consumers: readonly Consumer[]): ReadonlyMap<string, Consumer> {
  const named = new Map<string, Consumer>()
  for (const each of consumers) {
    if (named.has(each.name)) throw new Error(`there are two consumers "${each.name}"`)
    named.set(each.name, each)
  }
  return named
}

/** The consumers are there before the relay and after it: an event that nobody takes is confirmed, and would be missed. */
async function runWithConsumers(
  broker: EventBroker,
  consumers: readonly Consumer[],
  run: Relay['run'],
  cancel: CancelSignal,
): Promise<void> {
  const stops = consumers.map((each) => broker.subscribe(each))
  try {
    await run(cancel)
  } finally {
    await Promise.all(stops.map((stop) => stop()))
  }
}
