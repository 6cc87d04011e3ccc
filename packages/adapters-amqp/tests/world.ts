import {
  type ConsumerDefinition,
  type Core,
  cancelSource,
  createCore,
  type Delivery,
  type EventBroker,
  type EventConsumer,
  type EventDraft,
  type SequencedEvent,
  type Stream,
  type SystemEvent,
} from '@cbp/core'
import { type FakePorts, fakePorts } from '@cbp/core/testing'
import { okAsync } from 'neverthrow'
import { systemClock as clock } from './system.ts'

/** What became of the events that were committed, by what the consumer has left in the store. */
export type Tally = Readonly<{ lost: number; duplicated: number; reordered: number; unexpected: number }>

export const flawless: Tally = { lost: 0, duplicated: 0, reordered: 0, unexpected: 0 }

/** Instances of core around one store in memory, whose events go through a broker. */
export type World = Readonly<{
  ports: FakePorts
  /** Runs relay and consumers over the broker; returns how to end that. */
  run(eventBroker: EventBroker): Readonly<{ core: Core; stop(): Promise<void> }>
  /** Commits one more event of each stream. */
  emit(streams: number): Promise<void>
  /** Resolves once the consumer has come to the end of every stream. */
  caughtUp(timeoutMs: number): Promise<void>
  tally(): Promise<Tally>
}>

const effectsOf = (stream: string): Stream => `effects-${stream}` as Stream
const streamOf = (index: number): Stream => `config-${index}` as Stream

function draft(ports: Pick<FakePorts, 'ids'>, stream: Stream, sequence: number): EventDraft {
  const payload = { component: stream, details: { sequence }, severity: 'INFO', timestamp: '2026-01-01T00:00:00.000Z' } as const
  return { id: ports.ids.next(), stream, event: { type: 'CONFIG_UPDATED', payload }, occurredAt: clock.now(), traceparent: null }
}

export function worldOf(): World {
  const ports = fakePorts({ clock })
  const committed = new Map<Stream, number>()
  const ledger: ConsumerDefinition = {
    name: 'ledger',
    topics: ['#'],
    // The effect commits with the position of the consumer: what is seen here took effect.
    apply(tx, { stream, sequence }) {
      if (committed.has(stream)) tx.outbox.append(draft(ports, effectsOf(stream), sequence))
      return okAsync(undefined)
    },
  }
  const effects = async (stream: Stream): Promise<readonly number[]> => {
    const left = (await ports.outbox.pending([{ stream: effectsOf(stream), after: 0 }], 100_000))._unsafeUnwrap()
    return left.map(({ event }) => (event as SystemEvent).payload.details['sequence'] as number)
  }
  const tally = async (): Promise<Tally> => {
    const sum = { lost: 0, duplicated: 0, reordered: 0, unexpected: 0 }
    for (const [stream, count] of committed) {
      const seen = await effects(stream)
      const distinct = new Set(seen)
      sum.lost += Array.from({ length: count }, (_, index) => index + 1).filter((sequence) => !distinct.has(sequence)).length
      sum.duplicated += seen.length - distinct.size
      sum.reordered += seen.filter((sequence, index) => index > 0 && sequence < (seen[index - 1] ?? 0)).length
      sum.unexpected += [...distinct].filter((sequence) => sequence > count).length
    }
    return sum
  }
  return {
    ports: { ...ports, clock: ports.clock as FakePorts['clock'] },
    tally,
    run(eventBroker) {
      const core = createCore({ ...ports, eventBroker }, { consumers: [ledger] })
      const { signal, cancel } = cancelSource()
      const running = core.run(signal)
      return {
        core,
        async stop() {
          cancel()
          await running
        },
      }
    },
    async emit(streams) {
      for (let index = 0; index < streams; index += 1) {
        const stream = streamOf(index)
        const sequence = (committed.get(stream) ?? 0) + 1
        committed.set(stream, sequence)
        const unit = await ports.transactions.attempt(ports.ids.next(), (tx) => okAsync(tx.outbox.append(draft(ports, stream, sequence))))
        unit._unsafeUnwrap()
      }
      ports.signals.raise('events')
    },
    async caughtUp(timeoutMs) {
      const givesUpAt = clock.now() + timeoutMs
      while ((await tally()).lost > 0 && clock.now() < givesUpAt) await clock.sleep(50)
    },
  }
}

/** One event, by its place. */
export function eventAt(stream: string, sequence: number): SequencedEvent {
  const hash = [...stream].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 0xffff, 7)
  const id = `00000000-0000-7000-${(0x8000 + (hash % 0x3fff)).toString(16)}-${String(sequence).padStart(12, '0')}` as SequencedEvent['id']
  return { ...draft({ ids: { next: () => id } }, stream as Stream, sequence), sequence }
}

/** Takes everything, and keeps it. */
export function recorder(name: string, topics: readonly string[] = ['#']): EventConsumer & Readonly<{ deliveries: Delivery[] }> {
  const deliveries: Delivery[] = []
  return {
    name,
    topics,
    deliveries,
    handle(delivery) {
      deliveries.push(delivery)
      return okAsync(undefined)
    },
  }
}
