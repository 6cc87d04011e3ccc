import type { EventDraft, Ports, SequencedEvent, Stream } from '@cbp/core'
import { createCore } from '@cbp/core'
import type { Hexagon } from './hexagon.ts'

/** An event of one of many streams, about as large as those of configuration. */
export function eventOf({ ids, clock }: Pick<Ports, 'ids' | 'clock'>, stream: number): EventDraft {
  const occurredAt = clock.now()
  const details = { changes: [{ key: 'retry.max-attempts', scope: '/', version: 1, op: 'put' }] }
  const payload = { component: `component-${stream}`, details, severity: 'INFO', timestamp: new Date(occurredAt).toISOString() } as const
  const event = { type: 'CONFIG_UPDATED', payload } as const
  return { id: ids.next(), stream: `config-component-${stream}` as Stream, event, occurredAt, traceparent: null }
}

/** Commits events as one unit. */
export async function commitEvents({ transactions, ids, signals }: Ports, events: readonly EventDraft[]): Promise<void> {
  const outcome = await transactions.attempt(ids.next(), (tx) =>
    // A unit has to read; nothing costs less than this.
    tx.receivedWebhooks.find({ id: 'none' }).andTee(() => events.forEach(tx.outbox.append)),
  )
  if (outcome.isErr()) throw new Error(outcome.error.kind)
  for (const topic of outcome.value.commit.topics) signals.raise(topic)
}

/** Calls `note` with each confirmed event; without consumers the broker confirms as soon as it is asked. */
export function confirming(ports: Ports, consumers: 'none' | 'webhooks', note: (event: SequencedEvent) => void): Ports {
  const { eventBroker } = ports
  return {
    ...ports,
    eventBroker: {
      subscribe: consumers === 'none' ? () => async () => {} : eventBroker.subscribe,
      publish(event) {
        const published = eventBroker.publish(event)
        void published.then((confirmed) => {
          if (confirmed.isOk()) note(event)
        })
        return published
      },
    },
  }
}

export type Running = Readonly<{ stop: () => Promise<void> }>

/** The relay of a core of its own, with that core's consumers. */
export function startRelay({ ports }: Hexagon): Running {
  const core = createCore(ports)
  const background = new AbortController()
  // Followed as a service does, so that the lease's length is no read of the store.
  const working = Promise.all([core.config.followChanges(background.signal), core.events.relay(background.signal)])
  return {
    stop: async () => {
      background.abort()
      await working
    },
  }
}

/** Looks each millisecond until `done`. */
export async function until(what: string, done: () => boolean, withinMs = 120_000): Promise<void> {
  const givesUpAt = performance.now() + withinMs
  while (!done()) {
    if (performance.now() > givesUpAt) throw new Error(`not within ${withinMs / 1000} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
