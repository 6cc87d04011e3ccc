import fc from 'fast-check'
import { errAsync, ResultAsync } from 'neverthrow'
import { describe, expect } from 'vitest'
import type { Clock } from '../kernel/clock.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { type CallFault, type Faults, scriptedFaults } from '../kernel/testing/faults.ts'
import { faultyTransactions, type TransactionFault } from '../kernel/testing/faulty-transactions.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { type Transactions, unitOfWork } from '../kernel/unit-of-work.ts'
import { type FakePorts, fakePorts } from '../testing/fake-ports.ts'
import type { Transaction } from '../transaction.ts'
import type { ApplyEvent } from './apply-event.ts'
import { type Consumer, consumer } from './consumer.ts'
import type { Stream } from './event.ts'
import type { Delivery } from './ports/event-broker.ts'
import { committed, effects, leavingEffects } from './testing/effects.ts'
import { faultyOutbox } from './testing/faulty-outbox.ts'

const streams = ['payment-1', 'user-1'] as const as unknown as readonly [Stream, Stream]
const eventsPerStream = 6

/** One copy of an event on its way, to one of the instances; perhaps that instance dies after so many calls to the store. */
type Arrival = Readonly<{ stream: Stream; sequence: number; instance: number; diesAfter: number | null; replayed: boolean }>

const anyArrival: fc.Arbitrary<Arrival> = fc.record({
  stream: fc.constantFrom(...streams),
  sequence: fc.integer({ min: 1, max: eventsPerStream }),
  instance: fc.constantFrom(0, 1),
  diesAfter: fc.option(fc.integer({ min: 0, max: 6 }), { freq: 4 }),
  replayed: fc.boolean(),
})

const anyUnitFault = fc.option(fc.constantFrom<TransactionFault>('contended', 'unavailable', 'lost-before', 'lost-after', 'lost-late'))
const anyReadFault = fc.option(fc.constantFrom<CallFault>('unavailable-before'))

/** Every unit gives way to others between its reads and its commit. */
function interleaved(inner: Transactions<Transaction>, pause: () => Promise<void>): Transactions<Transaction> {
  return {
    attempt: (unit, work) =>
      inner.attempt(unit, (tx) => work(tx).andThen((value) => ResultAsync.fromSafePromise(pause().then(() => value)))),
    settle: inner.settle,
  }
}

/** Nothing comes back from the store after so many calls: the last of them may still have taken effect. */
function dyingAfter(inner: Transactions<Transaction>, calls: number | null, onDeath: () => void): Transactions<Transaction> {
  let left = calls ?? Number.POSITIVE_INFINITY
  const never = (): ResultAsync<never, never> => {
    onDeath()
    return new ResultAsync(new Promise(() => {}))
  }
  const living = <T, E>(call: () => ResultAsync<T, E>): ResultAsync<T, E> => {
    if (left < 0) return never()
    left -= 1
    return left < 0 ? call().andThen(never).orElse(never) : call()
  }
  return { attempt: (unit, work) => living(() => inner.attempt(unit, work)), settle: (unit) => living(() => inner.settle(unit)) }
}

type Script = Readonly<{ units: readonly (TransactionFault | null)[]; reads: readonly (CallFault | null)[] }>

/** One fault of the script for each time that any could strike; those that cannot strike there are passed over. */
function drawable(script: readonly (TransactionFault | null)[], delay: () => Promise<void>): Faults<TransactionFault> {
  const remaining = [...script]
  return {
    delay,
    draw: (candidates) => {
      const next = remaining.shift()
      return candidates.find((candidate) => candidate === next) ?? null
    },
  }
}

function world(scheduler: fc.Scheduler, ports: FakePorts, faults: Script, apply: ApplyEvent) {
  const pause = (): Promise<void> => scheduler.schedule(Promise.resolve())
  const clock: Clock = { now: ports.clock.now, sleep: pause }
  const underFaults = faultyTransactions(interleaved(ports.transactions, pause), drawable(faults.units, pause))
  const outbox = faultyOutbox(ports.outbox, scriptedFaults(faults.reads))
  let nodes = 10
  const start = (diesAfter: number | null, onDeath: () => void): Consumer => {
    nodes += 1
    const ids = fakeIds({ node: nodes })
    const deps = { ...ports, outbox, clock, ids, transactions: dyingAfter(underFaults, diesAfter, onDeath) }
    return consumer({ ...deps, unitOfWork: unitOfWork(deps) }, { name: 'ledger', topics: ['#'], apply })
  }
  const instances = [start(null, () => {}), start(null, () => {})]
  const arrive = async ({ instance, diesAfter }: Pick<Arrival, 'instance' | 'diesAfter'>, delivery: Delivery): Promise<void> => {
    await pause()
    if (diesAfter === null) await instances[instance]?.handle(delivery)
    else
      await new Promise<void>(
        (resolve) =>
          void start(diesAfter, resolve)
            .handle(delivery)
            .then(() => resolve()),
      )
  }
  return { instances, arrive }
}

/** As relay and broker do: the next event of a stream only once the one before is accepted. */
async function deliverAll(own: Consumer, events: readonly Delivery[]): Promise<number> {
  let refusals = 0
  for (const event of events) {
    while ((await own.handle(event)).isErr()) {
      refusals += 1
      if (refusals > 200) throw new Error(`event ${event.sequence} is never accepted`)
    }
  }
  return refusals
}

describe('consumer', () => {
  itHolds(
    'L15: applies each event exactly once and in order under duplicates, reorderings, crashes, refusals and races',
    300,
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(anyArrival, { maxLength: 24 }),
      fc.record({ units: fc.array(anyUnitFault, { maxLength: 40 }), reads: fc.array(anyReadFault, { maxLength: 20 }) }),
      async (scheduler, arrivals, faults) => {
        const ports = fakePorts()
        const events = new Map<Stream, readonly Delivery[]>()
        for (const stream of streams) events.set(stream, await committed(ports, stream, eventsPerStream))
        const { instances, arrive } = world(scheduler, ports, faults, leavingEffects(ports.ids))
        const eventAt = ({ stream, sequence, replayed }: Arrival): Delivery => ({
          ...(events.get(stream)?.[sequence - 1] as Delivery),
          replayed,
        })
        await scheduler.waitFor(Promise.all(arrivals.map((arrival) => arrive(arrival, eventAt(arrival)))))
        for (const own of events.values()) await scheduler.waitFor(deliverAll(instances[0] as Consumer, own))
        for (const stream of streams) {
          expect((await effects(ports, stream)).map(({ sequence }) => sequence)).toEqual(
            Array.from({ length: eventsPerStream }, (_, index) => index + 1),
          )
        }
        expect(await ports.deadLetterStore.deadCount().unwrapOr(-1)).toBe(0)
      },
    ),
  )

  itHolds(
    'L15: sets aside exactly the events that cannot be applied, each once, and applies all others in order',
    200,
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(anyArrival, { maxLength: 24 }),
      fc.uniqueArray(fc.integer({ min: 1, max: eventsPerStream }), { minLength: 1, maxLength: 3 }),
      fc.array(anyUnitFault, { maxLength: 40 }),
      async (scheduler, arrivals, bad, units) => {
        const ports = fakePorts()
        const [stream] = streams
        const events = await committed(ports, stream, eventsPerStream)
        const effect = leavingEffects(ports.ids)
        const apply: ApplyEvent = (tx, delivery) =>
          bad.includes(delivery.sequence) ? errAsync({ kind: 'event-not-applicable', reason: 'bad' }) : effect(tx, delivery)
        const { instances, arrive } = world(scheduler, ports, { units, reads: [] }, apply)
        await scheduler.waitFor(Promise.all(arrivals.map((arrival) => arrive(arrival, events[arrival.sequence - 1] as Delivery))))
        await scheduler.waitFor(deliverAll(instances[0] as Consumer, events))
        const all = Array.from({ length: eventsPerStream }, (_, index) => index + 1)
        expect((await effects(ports, stream)).map(({ sequence }) => sequence)).toEqual(all.filter((sequence) => !bad.includes(sequence)))
        const letters = (await ports.deadLetterStore.deadLetters({ consumer: 'ledger', state: 'dead' }, null, 100))._unsafeUnwrap()
        expect(new Set(letters.map(({ event }) => event.sequence))).toEqual(new Set(bad))
        expect(letters).toHaveLength(bad.length)
        expect(new Set(letters.map(({ failures }) => failures))).toEqual(new Set([5]))
      },
    ),
  )
})
