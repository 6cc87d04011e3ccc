import fc from 'fast-check'
import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import { describe, expect, it, vi } from 'vitest'
import { type Harness, over } from '../../kernel/testing/harness.ts'
import { itHolds } from '../../kernel/testing/property.ts'
import { routingKey, type SequencedEvent, type Stream, type SystemEvent } from '../event.ts'
import type { Delivery, EventBroker, EventConsumer, EventRefused } from '../ports/event-broker.ts'
import { anySequencedEvent, anySystemEvent } from './arbitraries.ts'
import { topicMatches } from './fake-event-broker.ts'

export type EventBrokerHarness = Harness<Readonly<{ broker: EventBroker }>>

type Recorder = EventConsumer & Readonly<{ deliveries: Delivery[] }>

/** Accepts and keeps everything. */
function recorder(name: string, ...topics: readonly string[]): Recorder {
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

/** As the relay does: the same event again until it is confirmed. */
async function publishUntilConfirmed(broker: EventBroker, event: SequencedEvent): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    if ((await broker.publish(event)).isOk()) return
  }
  throw new Error(`event ${event.id} was never confirmed`)
}

const [template] = fc.sample(anySequencedEvent, { numRuns: 1, seed: 1 }) as [SequencedEvent]
const [system] = fc.sample(anySystemEvent, { numRuns: 1, seed: 1 }) as [SystemEvent]

function eventNumber(sequence: number, stream = 'config-payments', type: SystemEvent['type'] = 'CONFIG_UPDATED'): SequencedEvent {
  const id = `00000000-0000-7000-8000-${String(sequence).padStart(12, '0')}` as SequencedEvent['id']
  return { ...template, id, stream: stream as Stream, sequence, event: { ...system, type } }
}

async function eventually(assertion: () => void): Promise<void> {
  await vi.waitFor(assertion, { timeout: 10_000, interval: 5 })
}

/**
 * The laws of `EventBroker`. Consumers have names of their own in each test.
 *
 * @param open a broker without consumers
 */
export function eventBrokerContract(open: () => Promise<EventBrokerHarness>, numRuns = 50): void {
  describe('EventBroker', () => {
    deliveryContract(open, numRuns)
    refusalContract(open)
  })
}

function deliveryContract(open: () => Promise<EventBrokerHarness>, numRuns: number): void {
  it(
    'confirms an event that nobody takes',
    over(open, async ({ broker }) => {
      expect((await broker.publish(eventNumber(1))).isOk()).toBe(true)
    }),
  )

  itHolds(
    'delivers an event as it was published',
    Math.min(numRuns, 20),
    fc.asyncProperty(anySequencedEvent, (event) =>
      over(open, async ({ broker }) => {
        const all = recorder('faithful', '#')
        broker.subscribe(all)
        await publishUntilConfirmed(broker, event)
        await eventually(() => expect(all.deliveries).toEqual([{ ...event, replayed: false }]))
      })(),
    ),
  )

  it(
    'delivers to every consumer that takes the topic, and to no other',
    over(open, async ({ broker }) => {
      const [exact, all, alerts] = [recorder('exact', 'config.updated'), recorder('all', '#'), recorder('alerts', 'system.*')]
      for (const consumer of [exact, all, alerts]) broker.subscribe(consumer)
      await publishUntilConfirmed(broker, eventNumber(1))
      await publishUntilConfirmed(broker, eventNumber(1, 'system', 'SYSTEM_ALERT'))
      await eventually(() => expect([exact, all, alerts].map(({ deliveries }) => deliveries.length)).toEqual([1, 2, 1]))
      expect(alerts.deliveries[0]?.event.type).toBe('SYSTEM_ALERT')
    }),
  )

  it(
    'delivers once to a consumer several of whose patterns match',
    over(open, async ({ broker }) => {
      const consumer = recorder('eager', '#', 'config.*', 'config.updated', '*.updated')
      broker.subscribe(consumer)
      await publishUntilConfirmed(broker, eventNumber(1))
      await eventually(() => expect(consumer.deliveries).toHaveLength(1))
    }),
  )

  itHolds(
    'routes by topic patterns: "*" is one word, "#" any number of them',
    numRuns,
    fc.asyncProperty(
      fc.array(
        fc
          .array(fc.constantFrom('*', '#', 'config', 'updated', 'system', 'alert'), { minLength: 1, maxLength: 4 })
          .map((words) => words.join('.')),
        { minLength: 1, maxLength: 3 },
      ),
      fc.constantFrom('CONFIG_UPDATED' as const, 'SYSTEM_ALERT' as const),
      (topics, type) =>
        over(open, async ({ broker }) => {
          const consumer = recorder('routed', ...topics)
          const witness = recorder('witness', '#')
          broker.subscribe(consumer)
          broker.subscribe(witness)
          await publishUntilConfirmed(broker, eventNumber(1, 'system', type))
          await eventually(() => expect(witness.deliveries).toHaveLength(1))
          const matches = topics.some((topic) => topicMatches(topic, routingKey(type)))
          await eventually(() => expect(consumer.deliveries).toHaveLength(matches ? 1 : 0))
        })(),
    ),
  )

  it(
    'L13: delivers the events of a stream in the order in which they are published one by one',
    over(open, async ({ broker }) => {
      const consumer = recorder('ordered', '#')
      broker.subscribe(consumer)
      const sequences = Array.from({ length: 30 }, (_, index) => index + 1)
      await Promise.all(
        ['config-a', 'config-b', 'system'].map(async (stream) => {
          for (const sequence of sequences) await publishUntilConfirmed(broker, eventNumber(sequence, stream))
        }),
      )
      await eventually(() => expect(consumer.deliveries).toHaveLength(90))
      for (const stream of ['config-a', 'config-b', 'system']) {
        expect(consumer.deliveries.filter((delivery) => delivery.stream === stream).map(({ sequence }) => sequence)).toEqual(sequences)
      }
    }),
  )

  it(
    'takes an event again that was published again',
    over(open, async ({ broker }) => {
      const consumer = recorder('twice', '#')
      broker.subscribe(consumer)
      await publishUntilConfirmed(broker, eventNumber(1))
      await publishUntilConfirmed(broker, eventNumber(1))
      await eventually(() => expect(consumer.deliveries.map(({ sequence }) => sequence)).toEqual([1, 1]))
    }),
  )

  it(
    'delivers nothing after it was told to stop',
    over(open, async ({ broker }) => {
      const [stopping, staying] = [recorder('stopping', '#'), recorder('staying', '#')]
      const stop = broker.subscribe(stopping)
      broker.subscribe(staying)
      await publishUntilConfirmed(broker, eventNumber(1))
      await eventually(() => expect(stopping.deliveries).toHaveLength(1))
      await stop()
      await publishUntilConfirmed(broker, eventNumber(2))
      await eventually(() => expect(staying.deliveries).toHaveLength(2))
      expect(stopping.deliveries).toHaveLength(1)
    }),
  )

  it(
    'stops a consumer once, however often it is asked',
    over(open, async ({ broker }) => {
      const stop = broker.subscribe(recorder('stopped-twice', '#'))
      await stop()
      await stop()
      expect((await broker.publish(eventNumber(1))).isOk()).toBe(true)
    }),
  )
}

function refusalContract(open: () => Promise<EventBrokerHarness>): void {
  it(
    'L12: a consumer that refused an event gets it again',
    over(open, async ({ broker }) => {
      const seen: number[] = []
      const handle = ({ sequence }: Delivery): ResultAsync<void, EventRefused> => {
        seen.push(sequence)
        return seen.length < 3 ? errAsync({ kind: 'event-refused', reason: 'not yet' }) : okAsync(undefined)
      }
      broker.subscribe({ name: 'reluctant', topics: ['#'], handle })
      await publishUntilConfirmed(broker, eventNumber(1))
      await eventually(() => expect(seen.length).toBeGreaterThanOrEqual(3))
      expect(new Set(seen)).toEqual(new Set([1]))
    }),
  )

  it(
    'delivers to the others what one consumer refuses',
    over(open, async ({ broker }) => {
      const other = recorder('willing', '#')
      broker.subscribe({ name: 'refusing', topics: ['#'], handle: () => errAsync({ kind: 'event-refused', reason: 'never' }) })
      broker.subscribe(other)
      await broker.publish(eventNumber(1))
      await eventually(() => expect(other.deliveries.map(({ sequence }) => sequence)).toContain(1))
    }),
  )
}
