import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LeasedStream, Stream } from '../events/index.ts'
import { anyDomainEvent, fewStreams } from '../events/testing/arbitraries.ts'
import { anyTraceparent } from '../kernel/testing/arbitraries.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { over } from '../kernel/testing/harness.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { outboxModelContract } from './outbox-model.contract.ts'
import { outboxReportsContract } from './outbox-reports.contract.ts'
import { blocked, confirmed, confirmedOf, lease, leaseMs, leaseOne, record, released } from './relay-steps.ts'
import { attemptEvents, attemptRefused, emit, eventOn, expectOk, type OpenStore } from './store-units.ts'

const [stream, other] = fewStreams as [Stream, Stream]

/**
 * The laws of `Outbox`, written to through `Transactions`.
 *
 * @param open a fresh, empty store each time, whose leases are measured on the clock that it hands over
 */
export function outboxContract(open: OpenStore, numRuns = 50): void {
  describe('Outbox', () => {
    sequenceContract(open, numRuns)
    leaseContract(open)
    outboxReportsContract(open)
    viewContract(open)
    outboxModelContract(open, numRuns)
  })
}

function sequenceContract(open: OpenStore, numRuns: number): void {
  it(
    'has nothing in a new store',
    over(open, async (store) => {
      expect(await lease(store)).toEqual([])
      expect(await expectOk(store.outbox.backlog())).toEqual({ events: 0, blockedStreams: 0, oldest: null })
      expect(await expectOk(store.outbox.stream(stream))).toBeNull()
      expect(await expectOk(store.outbox.unblock(stream))).toBeNull()
      expect(await expectOk(store.outbox.streams({ blocked: null }, null, 10))).toEqual([])
      expect(await expectOk(store.outbox.pending([{ stream, after: 0 }], 10))).toEqual([])
    }),
  )

  it(
    'numbers the events of each stream 1, 2, 3 …, also within one unit',
    over(open, async (store) => {
      const ids = fakeIds()
      await emit(store, ids, stream, other, stream)
      await emit(store, ids, stream)
      const events = await expectOk(
        store.outbox.pending(
          [
            { stream, after: 0 },
            { stream: other, after: 0 },
          ],
          10,
        ),
      )
      expect(events.filter((event) => event.stream === stream).map(({ sequence }) => sequence)).toEqual([1, 2, 3])
      expect(events.filter((event) => event.stream === other).map(({ sequence }) => sequence)).toEqual([1])
    }),
  )

  it(
    'L11: holds no event of a unit that was refused',
    over(open, async (store) => {
      const ids = fakeIds()
      await attemptRefused(store, ids.next(), [], [eventOn(stream, ids, store.clock)])
      expect(await expectOk(store.outbox.backlog())).toMatchObject({ events: 0 })
    }),
  )

  itHolds(
    'keeps every fact of an event',
    numRuns,
    fc.asyncProperty(anyDomainEvent, fc.option(anyTraceparent), (event, traceparent) =>
      over(open, async (store) => {
        const ids = fakeIds()
        const draft = { ...eventOn(stream, ids, store.clock), event, traceparent }
        await expectOk(attemptEvents(store, ids.next(), [draft]))
        expect((await leaseOne(store)).events).toEqual([{ ...draft, sequence: 1 }])
      })(),
    ),
  )

  itHolds(
    'numbers racing units without gaps',
    Math.ceil(numRuns / 2),
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.subarray([stream, other], { minLength: 1 }), { minLength: 2, maxLength: 5 }),
      (scheduler, units) =>
        over(open, async (store) => {
          const ids = fakeIds()
          const racers = units.map((streams) =>
            scheduler.schedule(Promise.resolve()).then(() =>
              attemptEvents(
                store,
                ids.next(),
                streams.map((each) => eventOn(each, ids, store.clock)),
              ),
            ),
          )
          const outcomes = await scheduler.waitFor(Promise.all(racers))
          const won = units.filter((_, index) => outcomes[index]?.isOk())
          for (const each of [stream, other]) {
            const events = await expectOk(store.outbox.pending([{ stream: each, after: 0 }], 10))
            expect(events.map(({ sequence }) => sequence)).toEqual(
              won.filter((streams) => streams.includes(each)).map((_, index) => index + 1),
            )
          }
        })(),
    ),
  )
}

function leaseContract(open: OpenStore): void {
  it(
    'leases a stream to one relay at a time',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      const claims = await Promise.all([lease(store), lease(store), lease(store)])
      expect(claims.flat()).toHaveLength(1)
    }),
  )

  it(
    'hands over the beginning of the backlog, and the rest by pending',
    over(open, async (store) => {
      const ids = fakeIds()
      for (let count = 0; count < 5; count += 1) await emit(store, ids, stream)
      const [leased] = await lease(store, 1, 2)
      expect(leased?.events.map(({ sequence }) => sequence)).toEqual([1, 2])
      const rest = await expectOk(store.outbox.pending([{ stream, after: 2 }], 2))
      expect(rest.map(({ sequence }) => sequence)).toEqual([3, 4])
    }),
  )

  it(
    'leases no more streams than asked for',
    over(open, async (store) => {
      await emit(store, fakeIds(), ...fewStreams)
      expect(await lease(store, 2)).toHaveLength(2)
      expect(await lease(store, 10)).toHaveLength(fewStreams.length - 2)
    }),
  )

  it(
    'leases no stream whose events are all confirmed',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      const leased = await leaseOne(store)
      await record(store, confirmed(leased, 1), released(leased))
      expect(await lease(store)).toEqual([])
    }),
  )

  it(
    'keeps a lease until it ends, then lets another relay have the stream under a higher fence',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      const first = await leaseOne(store)
      await store.clock.advance(leaseMs - 1)
      expect(await lease(store)).toEqual([])
      await store.clock.advance(1)
      const second = await leaseOne(store)
      expect(second.fence).toBeGreaterThan(first.fence)
      expect(second.events).toEqual(first.events)
    }),
  )

  it(
    'lets a released stream be leased at once, under a higher fence',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      const first = await leaseOne(store)
      expect(await record(store, released(first))).toEqual([])
      expect((await leaseOne(store)).fence).toBeGreaterThan(first.fence)
    }),
  )

  it(
    'keeps a lease that is renewed in time',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      const { fence } = await leaseOne(store)
      await store.clock.advance(leaseMs - 1)
      expect(await expectOk(store.outbox.renew([{ stream, fence }], leaseMs))).toMatchObject([{ stream, fence }])
      await store.clock.advance(leaseMs - 1)
      expect(await lease(store)).toEqual([])
      await store.clock.advance(1)
      expect(await lease(store)).toHaveLength(1)
    }),
  )

  it(
    'renews no lease that has expired, was given back or was taken by another',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      const expired = await leaseOne(store)
      await store.clock.advance(leaseMs)
      expect(await expectOk(store.outbox.renew([expired], leaseMs))).toEqual([])
      const taken = await leaseOne(store)
      expect(await expectOk(store.outbox.renew([expired], leaseMs))).toEqual([])
      await record(store, released(taken))
      expect(await expectOk(store.outbox.renew([taken, { stream: other, fence: 1 }], leaseMs))).toEqual([])
    }),
  )
}

function viewContract(open: OpenStore): void {
  it(
    'lists streams by the code units of their names, page by page',
    over(open, async (store) => {
      await emit(store, fakeIds(), ...fewStreams)
      const page = async (after: Stream | null, limit: number): Promise<readonly Stream[]> =>
        (await expectOk(store.outbox.streams({ blocked: null }, after, limit))).map((state) => state.stream)
      const all = ['config-a', 'config-a-b', 'config-ab', 'payment-0', 'payment-1', 'system']
      expect(await page(null, 10)).toEqual(all)
      expect(await page('config-ab' as Stream, 2)).toEqual(['payment-0', 'payment-1'])
      expect(await page('system' as Stream, 2)).toEqual([])
    }),
  )

  it(
    'lists blocked streams, or those that are not',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream, other)
      const [first, second] = (await lease(store)) as [LeasedStream, LeasedStream]
      await record(store, blocked(first, 1))
      const listed = async (filter: boolean): Promise<readonly Stream[]> =>
        (await expectOk(store.outbox.streams({ blocked: filter }, null, 10))).map((state) => state.stream)
      expect([await listed(true), await listed(false)]).toEqual([[first.stream], [second.stream]])
    }),
  )

  it(
    'tells how old the backlog is',
    over(open, async (store) => {
      const ids = fakeIds()
      const oldest = store.clock.now()
      await emit(store, ids, stream)
      await store.clock.advance(5000)
      await emit(store, ids, stream)
      expect(await expectOk(store.outbox.backlog())).toEqual({ events: 2, blockedStreams: 0, oldest })
      await record(store, confirmed(await leaseOne(store), 1))
      expect(await expectOk(store.outbox.backlog())).toEqual({ events: 1, blockedStreams: 0, oldest: oldest + 5000 })
    }),
  )

  it(
    'tells streams apart by letter case',
    over(open, async (store) => {
      const upper = 'payment-A' as Stream
      const lower = 'payment-a' as Stream
      await emit(store, fakeIds(), upper, lower, upper)
      expect([await confirmedOf(store.outbox, upper), (await expectOk(store.outbox.stream(upper)))?.last]).toEqual([0, 2])
      expect((await expectOk(store.outbox.stream(lower)))?.last).toBe(1)
    }),
  )
}
