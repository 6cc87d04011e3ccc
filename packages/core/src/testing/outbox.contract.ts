import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LeasedStream, Outbox, RelayReport, Sequence, Stream } from '../events/index.ts'
import { anyDomainEvent, fewStreams } from '../events/testing/arbitraries.ts'
import { anyTraceparent } from '../kernel/testing/arbitraries.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { over } from '../kernel/testing/harness.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { outboxModelContract } from './outbox-model.contract.ts'
import { attemptEvents, attemptRefused, emit, eventOn, expectOk, type OpenStore, type StoreHarness } from './store-units.ts'

const [stream, other] = fewStreams as [Stream, Stream]
const leaseMs = 10_000

/**
 * The laws of `Outbox`, written to through `Transactions`.
 *
 * @param open a fresh, empty store each time, whose leases are measured on the clock that it hands over
 */
export function outboxContract(open: OpenStore, numRuns = 50): void {
  describe('Outbox', () => {
    sequenceContract(open, numRuns)
    leaseContract(open)
    reportContract(open)
    blockContract(open)
    viewContract(open)
    outboxModelContract(open, numRuns)
  })
}

async function lease({ outbox }: StoreHarness, limit = 10, eventLimit = 10): Promise<readonly LeasedStream[]> {
  return expectOk(outbox.lease({ owner: 'relay-1', limit, leaseMs, eventLimit }))
}

async function leaseOne(store: StoreHarness): Promise<LeasedStream> {
  const [leased] = await lease(store, 1)
  if (leased === undefined) throw new Error('no stream could be leased')
  return leased
}

function confirmed({ stream: of, fence }: LeasedStream, through: Sequence): RelayReport {
  return { stream: of, fence, kind: 'confirmed', through }
}

function released({ stream: of, fence }: LeasedStream): RelayReport {
  return { stream: of, fence, kind: 'released' }
}

function refused({ stream: of, fence }: LeasedStream, sequence: Sequence, retryAt: number): RelayReport {
  return { stream: of, fence, kind: 'refused', sequence, reason: 'no room', retryAt }
}

function blocked({ stream: of, fence }: LeasedStream, sequence: Sequence): RelayReport {
  return { stream: of, fence, kind: 'blocked', sequence, reason: 'malformed' }
}

async function record({ outbox }: StoreHarness, ...reports: readonly RelayReport[]): Promise<readonly RelayReport[]> {
  return expectOk(outbox.record(reports))
}

async function confirmedOf(outbox: Outbox, of: Stream): Promise<Sequence | undefined> {
  return (await expectOk(outbox.stream(of)))?.confirmed
}

function sequenceContract(open: OpenStore, numRuns: number): void {
  it('has nothing in a new store', over(open, async (store) => {
    expect(await lease(store)).toEqual([])
    expect(await expectOk(store.outbox.backlog())).toEqual({ events: 0, blockedStreams: 0, oldest: null })
    expect(await expectOk(store.outbox.stream(stream))).toBeNull()
    expect(await expectOk(store.outbox.unblock(stream))).toBeNull()
    expect(await expectOk(store.outbox.streams({ blocked: null }, null, 10))).toEqual([])
    expect(await expectOk(store.outbox.pending([{ stream, after: 0 }], 10))).toEqual([])
  }))

  it('numbers the events of each stream 1, 2, 3 …, also within one unit', over(open, async (store) => {
    const ids = fakeIds()
    await emit(store, ids, stream, other, stream)
    await emit(store, ids, stream)
    const events = await expectOk(store.outbox.pending([{ stream, after: 0 }, { stream: other, after: 0 }], 10))
    expect(events.filter((event) => event.stream === stream).map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    expect(events.filter((event) => event.stream === other).map(({ sequence }) => sequence)).toEqual([1])
  }))

  it('L11: holds no event of a unit that was refused', over(open, async (store) => {
    const ids = fakeIds()
    await attemptRefused(store, ids.next(), [], [eventOn(stream, ids, store.clock)])
    expect(await expectOk(store.outbox.backlog())).toMatchObject({ events: 0 })
  }))

  itHolds('keeps every fact of an event', numRuns, fc.asyncProperty(anyDomainEvent, fc.option(anyTraceparent), (event, traceparent) =>
    over(open, async (store) => {
      const ids = fakeIds()
      const draft = { ...eventOn(stream, ids, store.clock), event, traceparent }
      await expectOk(attemptEvents(store, ids.next(), [draft]))
      expect((await leaseOne(store)).events).toEqual([{ ...draft, sequence: 1 }])
    })(),
  ))

  itHolds('numbers racing units without gaps', Math.ceil(numRuns / 2), fc.asyncProperty(
    fc.scheduler(),
    fc.array(fc.subarray([stream, other], { minLength: 1 }), { minLength: 2, maxLength: 5 }),
    (scheduler, units) =>
      over(open, async (store) => {
        const ids = fakeIds()
        const racers = units.map((streams) =>
          scheduler.schedule(Promise.resolve()).then(() =>
            attemptEvents(store, ids.next(), streams.map((each) => eventOn(each, ids, store.clock))),
          ),
        )
        const outcomes = await scheduler.waitFor(Promise.all(racers))
        const won = units.filter((_, index) => outcomes[index]?.isOk())
        for (const each of [stream, other]) {
          const events = await expectOk(store.outbox.pending([{ stream: each, after: 0 }], 10))
          expect(events.map(({ sequence }) => sequence)).toEqual(won.filter((streams) => streams.includes(each)).map((_, index) => index + 1))
        }
      })(),
  ))
}

function leaseContract(open: OpenStore): void {
  it('leases a stream to one relay at a time', over(open, async (store) => {
    await emit(store, fakeIds(), stream)
    const claims = await Promise.all([lease(store), lease(store), lease(store)])
    expect(claims.flat()).toHaveLength(1)
  }))

  it('hands over the beginning of the backlog, and the rest by pending', over(open, async (store) => {
    const ids = fakeIds()
    for (let count = 0; count < 5; count += 1) await emit(store, ids, stream)
    const [leased] = await lease(store, 1, 2)
    expect(leased?.events.map(({ sequence }) => sequence)).toEqual([1, 2])
    const rest = await expectOk(store.outbox.pending([{ stream, after: 2 }], 2))
    expect(rest.map(({ sequence }) => sequence)).toEqual([3, 4])
  }))

  it('leases no more streams than asked for', over(open, async (store) => {
    await emit(store, fakeIds(), ...fewStreams)
    expect(await lease(store, 2)).toHaveLength(2)
    expect(await lease(store, 10)).toHaveLength(fewStreams.length - 2)
  }))

  it('leases no stream whose events are all confirmed', over(open, async (store) => {
    await emit(store, fakeIds(), stream)
    const leased = await leaseOne(store)
    await record(store, confirmed(leased, 1), released(leased))
    expect(await lease(store)).toEqual([])
  }))

  it('keeps a lease until it ends, then lets another relay have the stream under a higher fence', over(open, async (store) => {
    await emit(store, fakeIds(), stream)
    const first = await leaseOne(store)
    await store.clock.advance(leaseMs - 1)
    expect(await lease(store)).toEqual([])
    await store.clock.advance(1)
    const second = await leaseOne(store)
    expect(second.fence).toBeGreaterThan(first.fence)
    expect(second.events).toEqual(first.events)
  }))

  it('lets a released stream be leased at once, under a higher fence', over(open, async (store) => {
    await emit(store, fakeIds(), stream)
    const first = await leaseOne(store)
    expect(await record(store, released(first))).toEqual([])
    expect((await leaseOne(store)).fence).toBeGreaterThan(first.fence)
  }))

  it('keeps a lease that is renewed in time', over(open, async (store) => {
    await emit(store, fakeIds(), stream)
    const { fence } = await leaseOne(store)
    await store.clock.advance(leaseMs - 1)
    expect(await expectOk(store.outbox.renew([{ stream, fence }], leaseMs))).toMatchObject([{ stream, fence }])
    await store.clock.advance(leaseMs - 1)
    expect(await lease(store)).toEqual([])
    await store.clock.advance(1)
    expect(await lease(store)).toHaveLength(1)
  }))

  it('renews no lease that has expired, was given back or was taken by another', over(open, async (store) => {
    await emit(store, fakeIds(), stream)
    const expired = await leaseOne(store)
    await store.clock.advance(leaseMs)
    expect(await expectOk(store.outbox.renew([expired], leaseMs))).toEqual([])
    const taken = await leaseOne(store)
    expect(await expectOk(store.outbox.renew([expired], leaseMs))).toEqual([])
    await record(store, released(taken))
    expect(await expectOk(store.outbox.renew([taken, { stream: other, fence: 1 }], leaseMs))).toEqual([])
  }))
}

function reportContract(open: OpenStore): void {
  it('L12: takes an event off the backlog only when it is confirmed', over(open, async (store) => {
    const ids = fakeIds()
    for (let count = 0; count < 3; count += 1) await emit(store, ids, stream)
    const leased = await leaseOne(store)
    await record(store, confirmed(leased, 2), released(leased))
    expect(await expectOk(store.outbox.stream(stream))).toMatchObject({ last: 3, confirmed: 2 })
    expect((await leaseOne(store)).events.map(({ sequence }) => sequence)).toEqual([3])
  }))

  it('goes on holding the lease after a confirmation, for events that come later', over(open, async (store) => {
    const ids = fakeIds()
    await emit(store, ids, stream)
    const leased = await leaseOne(store)
    await record(store, confirmed(leased, 1))
    await emit(store, ids, stream)
    expect(await lease(store)).toEqual([])
    expect(await record(store, confirmed(leased, 2))).toEqual([])
    expect(await expectOk(store.outbox.backlog())).toMatchObject({ events: 0 })
  }))

  it('never takes a confirmation back', over(open, async (store) => {
    const ids = fakeIds()
    await emit(store, ids, stream, stream, stream)
    const leased = await leaseOne(store)
    await record(store, confirmed(leased, 3), confirmed(leased, 1))
    expect(await confirmedOf(store.outbox, stream)).toBe(3)
  }))

  it('L14: records nothing under an old fence', over(open, async (store) => {
    await emit(store, fakeIds(), stream)
    const old = await leaseOne(store)
    await store.clock.advance(leaseMs)
    const current = await leaseOne(store)
    const reports = [confirmed(old, 1), refused(old, 1, 0), blocked(old, 1), released(old)]
    expect(await record(store, ...reports)).toEqual(reports)
    expect(await expectOk(store.outbox.stream(stream))).toMatchObject({ confirmed: 0, refusals: 0, blocked: null })
    expect(await record(store, confirmed(current, 1))).toEqual([])
  }))

  it.each([
    ['released', (leased: LeasedStream): RelayReport => released(leased)],
    ['refused', (leased: LeasedStream): RelayReport => refused(leased, 1, 0)],
    ['blocked', (leased: LeasedStream): RelayReport => blocked(leased, 1)],
  ])('L14: records nothing after a lease was given back by "%s"', async (_kind, giveBack) => {
    await over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      const leased = await leaseOne(store)
      expect(await record(store, giveBack(leased), confirmed(leased, 1))).toEqual([confirmed(leased, 1)])
      expect(await confirmedOf(store.outbox, stream)).toBe(0)
    })()
  })

  it('L14: records nothing of a stream that does not exist', over(open, async (store) => {
    const report: RelayReport = { stream, fence: 1, kind: 'released' }
    expect(await record(store, report)).toEqual([report])
  }))

  it('accepts a report on an expired lease while nobody has taken the stream since', over(open, async (store) => {
    await emit(store, fakeIds(), stream)
    const leased = await leaseOne(store)
    await store.clock.advance(leaseMs * 2)
    expect(await record(store, confirmed(leased, 1))).toEqual([])
    expect(await confirmedOf(store.outbox, stream)).toBe(1)
  }))

  it('records the good reports of a batch beside those that it refuses', over(open, async (store) => {
    await emit(store, fakeIds(), stream, other)
    const [first, second] = (await lease(store)) as [LeasedStream, LeasedStream]
    const forged = confirmed({ ...first, fence: first.fence + 1 }, 1)
    expect(await record(store, forged, confirmed(second, 1))).toEqual([forged])
    expect(await confirmedOf(store.outbox, first.stream)).toBe(0)
    expect(await confirmedOf(store.outbox, second.stream)).toBe(1)
  }))

  it('waits with a refused event until its retry time, and counts its refusals', over(open, async (store) => {
    await emit(store, fakeIds(), stream)
    await record(store, refused(await leaseOne(store), 1, store.clock.now() + 5000))
    await store.clock.advance(4999)
    expect(await lease(store)).toEqual([])
    await store.clock.advance(1)
    const again = await leaseOne(store)
    expect(again.refusals).toBe(1)
    await record(store, refused(again, 1, store.clock.now()))
    expect((await leaseOne(store)).refusals).toBe(2)
  }))

  it('counts refusals afresh for the event after a confirmed one', over(open, async (store) => {
    await emit(store, fakeIds(), stream, stream)
    await record(store, refused(await leaseOne(store), 1, store.clock.now()))
    const leased = await leaseOne(store)
    await record(store, confirmed(leased, 1))
    expect(await expectOk(store.outbox.stream(stream))).toMatchObject({ confirmed: 1, refusals: 0 })
  }))

  it('records a confirmation and the refusal of the event after it in one batch', over(open, async (store) => {
    await emit(store, fakeIds(), stream, stream)
    const leased = await leaseOne(store)
    await record(store, confirmed(leased, 1), refused(leased, 2, store.clock.now() + 1000))
    expect(await expectOk(store.outbox.stream(stream))).toMatchObject({ confirmed: 1, refusals: 1 })
    expect(await lease(store)).toEqual([])
  }))
}

function blockContract(open: OpenStore): void {
  it('L12: keeps a blocked stream visible and unleased until it is unblocked', over(open, async (store) => {
    await emit(store, fakeIds(), stream)
    const leased = await leaseOne(store)
    const since = store.clock.now()
    await record(store, blocked(leased, 1))
    await store.clock.advance(10 * leaseMs)
    expect(await lease(store)).toEqual([])
    expect(await expectOk(store.outbox.stream(stream))).toMatchObject({ blocked: { sequence: 1, reason: 'malformed', since } })
    expect(await expectOk(store.outbox.backlog())).toMatchObject({ events: 1, blockedStreams: 1 })
  }))

  it('leases an unblocked stream at once, with no refusals counted', over(open, async (store) => {
    await emit(store, fakeIds(), stream)
    await record(store, refused(await leaseOne(store), 1, store.clock.now()))
    await record(store, blocked(await leaseOne(store), 1))
    const state = await expectOk(store.outbox.unblock(stream))
    expect(state).toEqual({ stream, last: 1, confirmed: 0, refusals: 0, blocked: null })
    expect(await leaseOne(store)).toMatchObject({ stream, refusals: 0 })
  }))

  it('leaves a stream that is not blocked as it is', over(open, async (store) => {
    await emit(store, fakeIds(), stream)
    const leased = await leaseOne(store)
    expect(await expectOk(store.outbox.unblock(stream))).toMatchObject({ stream, blocked: null })
    expect(await lease(store)).toEqual([])
    expect(await record(store, confirmed(leased, 1))).toEqual([])
  }))

  it('blocks its own stream only', over(open, async (store) => {
    await emit(store, fakeIds(), stream, other)
    const leases = await lease(store)
    const [first] = leases as [LeasedStream]
    await record(store, blocked(first, 1), ...leases.slice(1).map(released))
    expect((await lease(store)).map((each) => each.stream)).toEqual([stream, other].filter((each) => each !== first.stream))
  }))
}

function viewContract(open: OpenStore): void {
  it('lists streams by the code units of their names, page by page', over(open, async (store) => {
    await emit(store, fakeIds(), ...fewStreams)
    const page = async (after: Stream | null, limit: number): Promise<readonly Stream[]> =>
      (await expectOk(store.outbox.streams({ blocked: null }, after, limit))).map((state) => state.stream)
    const all = ['config-a', 'config-a-b', 'config-ab', 'payment-0', 'payment-1', 'system']
    expect(await page(null, 10)).toEqual(all)
    expect(await page('config-ab' as Stream, 2)).toEqual(['payment-0', 'payment-1'])
    expect(await page('system' as Stream, 2)).toEqual([])
  }))

  it('lists blocked streams, or those that are not', over(open, async (store) => {
    await emit(store, fakeIds(), stream, other)
    const [first, second] = (await lease(store)) as [LeasedStream, LeasedStream]
    await record(store, blocked(first, 1))
    const listed = async (filter: boolean): Promise<readonly Stream[]> =>
      (await expectOk(store.outbox.streams({ blocked: filter }, null, 10))).map((state) => state.stream)
    expect([await listed(true), await listed(false)]).toEqual([[first.stream], [second.stream]])
  }))

  it('tells how old the backlog is', over(open, async (store) => {
    const ids = fakeIds()
    const oldest = store.clock.now()
    await emit(store, ids, stream)
    await store.clock.advance(5000)
    await emit(store, ids, stream)
    expect(await expectOk(store.outbox.backlog())).toEqual({ events: 2, blockedStreams: 0, oldest })
    await record(store, confirmed(await leaseOne(store), 1))
    expect(await expectOk(store.outbox.backlog())).toEqual({ events: 1, blockedStreams: 0, oldest: oldest + 5000 })
  }))

  it('tells streams apart by letter case', over(open, async (store) => {
    const upper = 'payment-A' as Stream
    const lower = 'payment-a' as Stream
    await emit(store, fakeIds(), upper, lower, upper)
    expect([await confirmedOf(store.outbox, upper), (await expectOk(store.outbox.stream(upper)))?.last]).toEqual([0, 2])
    expect((await expectOk(store.outbox.stream(lower)))?.last).toBe(1)
  }))
}
