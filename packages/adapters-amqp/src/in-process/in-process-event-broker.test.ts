import type { Delivery, EventConsumer, EventRefused, SequencedEvent, Stream } from '@cbp/core'
import { anySequencedEvent, eventBrokerContract, itHolds } from '@cbp/core/testing'
import fc from 'fast-check'
import { err, errAsync, ok, okAsync, type Result, ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { inProcessEventBroker } from './in-process-event-broker.ts'

eventBrokerContract(async () => {
  const broker = inProcessEventBroker()
  return { broker, close: () => broker.close() }
}, 100)

const [template] = fc.sample(anySequencedEvent, { numRuns: 1, seed: 1 }) as [SequencedEvent]

function eventOf(stream: string, sequence: number): SequencedEvent {
  return { ...template, stream: stream as Stream, sequence }
}

/** A consumer that answers when the test says so. */
function held(
  name: string,
): EventConsumer & Readonly<{ deliveries: Delivery[]; answer(outcome?: Result<void, EventRefused>): Promise<void> }> {
  const deliveries: Delivery[] = []
  const answers: ((outcome: Result<void, EventRefused>) => void)[] = []
  return {
    name,
    topics: ['#'],
    deliveries,
    handle(delivery) {
      deliveries.push(delivery)
      return new ResultAsync(new Promise((resolve) => answers.push(resolve)))
    },
    async answer(outcome = ok()) {
      answers.shift()?.(outcome)
      await turns()
    },
  }
}

/** Lets everything run that is ready to. */
async function turns(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

async function settled<T>(promise: PromiseLike<T>): Promise<boolean> {
  const pending = Symbol('pending')
  await turns()
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending
}

describe('inProcessEventBroker', () => {
  it('confirms an event only after every consumer has accepted it', async () => {
    const broker = inProcessEventBroker()
    const [first, second] = [held('first'), held('second')]
    for (const consumer of [first, second]) broker.subscribe(consumer)
    const confirm = broker.publish(eventOf('a', 1))
    await first.answer()
    expect(await settled(confirm)).toBe(false)
    await second.answer()
    expect((await confirm).isOk()).toBe(true)
  })

  it('names the consumer that refuses', async () => {
    const broker = inProcessEventBroker()
    broker.subscribe({ name: 'willing', topics: ['#'], handle: () => okAsync(undefined) })
    broker.subscribe({ name: 'dispatch', topics: ['#'], handle: () => errAsync({ kind: 'event-refused', reason: 'disk full' }) })
    const refusal = (await broker.publish(eventOf('a', 1)))._unsafeUnwrapErr()
    expect(refusal).toEqual({ kind: 'event-refused', reason: 'consumer "dispatch": disk full' })
  })

  it.each<readonly [string, EventConsumer['handle']]>([
    [
      'throws',
      () => {
        throw new Error('defect')
      },
    ],
    ['rejects', () => new ResultAsync(Promise.reject(new Error('defect')))],
  ])('takes it for a refusal when a consumer %s, and goes on', async (_how, handle) => {
    const broker = inProcessEventBroker()
    const stop = broker.subscribe({ name: 'broken', topics: ['#'], handle })
    expect((await broker.publish(eventOf('a', 1)))._unsafeUnwrapErr()).toEqual({
      kind: 'event-refused',
      reason: 'consumer "broken": defect',
    })
    await stop()
    expect((await broker.publish(eventOf('a', 1))).isOk()).toBe(true)
  })

  it('hands a consumer the events of one stream one by one, those of others at once', async () => {
    const broker = inProcessEventBroker()
    const consumer = held('slow')
    broker.subscribe(consumer)
    const confirms = [eventOf('a', 1), eventOf('a', 2), eventOf('b', 1)].map((event) => broker.publish(event))
    expect(consumer.deliveries.map(({ stream, sequence }) => `${stream}${sequence}`)).toEqual(['a1', 'b1'])
    await consumer.answer()
    expect(consumer.deliveries.map(({ stream, sequence }) => `${stream}${sequence}`)).toEqual(['a1', 'b1', 'a2'])
    await consumer.answer()
    await consumer.answer()
    expect((await Promise.all(confirms)).every((confirm) => confirm.isOk())).toBe(true)
  })

  it('hands a consumer no more events at a time than it may have', async () => {
    const broker = inProcessEventBroker({ concurrency: 2 })
    const consumer = held('bounded')
    broker.subscribe(consumer)
    const confirms = ['a', 'b', 'c', 'd'].map((stream) => broker.publish(eventOf(stream, 1)))
    expect(consumer.deliveries).toHaveLength(2)
    await consumer.answer()
    expect(consumer.deliveries).toHaveLength(3)
    for (let count = 0; count < 3; count += 1) await consumer.answer()
    expect((await Promise.all(confirms)).every((confirm) => confirm.isOk())).toBe(true)
  })

  it('lets a slow consumer hold up no other', async () => {
    const broker = inProcessEventBroker({ concurrency: 1 })
    const [slow, quick] = [held('slow'), held('quick')]
    for (const consumer of [slow, quick]) broker.subscribe(consumer)
    void broker.publish(eventOf('a', 1))
    void broker.publish(eventOf('b', 1))
    await quick.answer()
    expect([slow.deliveries.length, quick.deliveries.length]).toEqual([1, 2])
  })

  it('stops a consumer once it has answered for what it was handed', async () => {
    const broker = inProcessEventBroker()
    const consumer = held('stopping')
    const stop = broker.subscribe(consumer)
    const confirm = broker.publish(eventOf('a', 1))
    const stopped = stop()
    expect(await settled(stopped)).toBe(false)
    await consumer.answer()
    await stopped
    expect((await confirm).isOk()).toBe(true)
  })

  it('drains on closing, and takes no more events', async () => {
    const broker = inProcessEventBroker()
    const consumer = held('closing')
    broker.subscribe(consumer)
    const confirms = [eventOf('a', 1), eventOf('a', 2)].map((event) => broker.publish(event))
    const closing = broker.close()
    expect((await broker.publish(eventOf('a', 3)))._unsafeUnwrapErr()).toMatchObject({ kind: 'broker-unavailable' })
    await consumer.answer()
    expect(await settled(closing)).toBe(false)
    await consumer.answer(err({ kind: 'event-refused', reason: 'no room' }))
    await closing
    expect((await Promise.all(confirms)).map((confirm) => confirm.isOk())).toEqual([true, false])
  })

  it('has one consumer of a name at a time', async () => {
    const broker = inProcessEventBroker()
    const stop = broker.subscribe(held('dispatch'))
    expect(() => broker.subscribe(held('dispatch'))).toThrow('"dispatch"')
    await stop()
    const again = broker.subscribe(held('dispatch'))
    await stop()
    expect(() => broker.subscribe(held('dispatch'))).toThrow('"dispatch"')
    await again()
  })

  itHolds(
    'keeps the order of every stream for every consumer, whatever the consumers do',
    100,
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.boolean()),
      async (scheduler, streams, concurrency, refusals) => {
        const broker = inProcessEventBroker({ concurrency })
        const refused = [...refusals]
        const started: Record<string, string[]> = { first: [], second: [] }
        let busiest = 0
        for (const name of ['first', 'second']) {
          let busy = 0
          broker.subscribe({
            name,
            topics: ['#'],
            handle(delivery) {
              busy += 1
              busiest = Math.max(busiest, busy)
              started[name]?.push(`${delivery.stream}${delivery.sequence}`)
              const outcome =
                refused.pop() === true
                  ? err<void, EventRefused>({ kind: 'event-refused', reason: 'no' })
                  : ok<void, EventRefused>(undefined)
              const handled = scheduler.schedule(Promise.resolve()).then(() => {
                busy -= 1
                return outcome
              })
              return new ResultAsync(handled)
            },
          })
        }
        const confirms = streams.map((stream, index) => broker.publish(eventOf(stream, index)))
        await scheduler.waitFor(Promise.all(confirms))
        await broker.close()
        expect(busiest).toBeLessThanOrEqual(concurrency)
        for (const each of Object.values(started)) {
          expect(each).toHaveLength(streams.length)
          for (const stream of new Set(streams)) {
            const sequences = each.filter((name) => name.startsWith(stream)).map((name) => Number(name.slice(1)))
            expect(sequences).toEqual(sequences.toSorted((left, right) => left - right))
          }
        }
      },
    ),
  )
})
