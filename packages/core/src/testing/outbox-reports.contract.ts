import { expect, it } from 'vitest'
import type { LeasedStream, RelayReport, Stream } from '../events/index.ts'
import { fewStreams } from '../events/testing/arbitraries.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { over } from '../kernel/testing/harness.ts'
import { blocked, confirmed, confirmedOf, lease, leaseMs, leaseOne, record, refused, released } from './relay-steps.ts'
import { emit, expectOk, type OpenStore } from './store-units.ts'

const [stream, other] = fewStreams as [Stream, Stream]

export function outboxReportsContract(open: OpenStore): void {
  reportContract(open)
  blockContract(open)
}

function reportContract(open: OpenStore): void {
  it(
    'L12: takes an event off the backlog only when it is confirmed',
    over(open, async (store) => {
      const ids = fakeIds()
      for (let count = 0; count < 3; count += 1) await emit(store, ids, stream)
      const leased = await leaseOne(store)
      await record(store, confirmed(leased, 2), released(leased))
      expect(await expectOk(store.outbox.stream(stream))).toMatchObject({ last: 3, confirmed: 2 })
      expect((await leaseOne(store)).events.map(({ sequence }) => sequence)).toEqual([3])
    }),
  )

  it(
    'goes on holding the lease after a confirmation, for events that come later',
    over(open, async (store) => {
      const ids = fakeIds()
      await emit(store, ids, stream)
      const leased = await leaseOne(store)
      await record(store, confirmed(leased, 1))
      await emit(store, ids, stream)
      expect(await lease(store)).toEqual([])
      expect(await record(store, confirmed(leased, 2))).toEqual([])
      expect(await expectOk(store.outbox.backlog())).toMatchObject({ events: 0 })
    }),
  )

  it(
    'never takes a confirmation back',
    over(open, async (store) => {
      const ids = fakeIds()
      await emit(store, ids, stream, stream, stream)
      const leased = await leaseOne(store)
      await record(store, confirmed(leased, 3), confirmed(leased, 1))
      expect(await confirmedOf(store.outbox, stream)).toBe(3)
    }),
  )

  it(
    'confirms nothing beyond the last event',
    over(open, async (store) => {
      const ids = fakeIds()
      await emit(store, ids, stream)
      const leased = await leaseOne(store)
      await record(store, confirmed(leased, 99), released(leased))
      expect(await confirmedOf(store.outbox, stream)).toBe(1)
      await emit(store, ids, stream)
      expect((await leaseOne(store)).events.map(({ sequence }) => sequence)).toEqual([2])
    }),
  )

  it.each([
    ['beyond the last event', 1, 2],
    ['that is confirmed already', 1, 1],
    ['after the first unconfirmed one', 0, 2],
    ['that does not exist', 0, 0],
  ])('takes a refusal or a block of an event %s for a release', async (_, through, sequence) => {
    for (const report of [refused, blocked]) {
      await over(open, async (store) => {
        const ids = fakeIds()
        await emit(store, ids, stream)
        const leased = await leaseOne(store)
        const bogus = report(leased, sequence, store.clock.now() + leaseMs)
        expect(await record(store, confirmed(leased, through), bogus)).toEqual([])
        expect(await expectOk(store.outbox.stream(stream))).toMatchObject({ confirmed: through, refusals: 0, blocked: null })
        expect(await expectOk(store.outbox.backlog())).toMatchObject({ blockedStreams: 0 })
        await emit(store, ids, stream)
        expect((await leaseOne(store)).events[0]?.sequence).toBe(through + 1)
      })()
    }
  })

  it(
    'L14: records nothing under an old fence',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      const old = await leaseOne(store)
      await store.clock.advance(leaseMs)
      const current = await leaseOne(store)
      const reports = [confirmed(old, 1), refused(old, 1, 0), blocked(old, 1), released(old)]
      expect(await record(store, ...reports)).toEqual(reports)
      expect(await expectOk(store.outbox.stream(stream))).toMatchObject({ confirmed: 0, refusals: 0, blocked: null })
      expect(await record(store, confirmed(current, 1))).toEqual([])
    }),
  )

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

  it(
    'L14: records nothing of a stream that does not exist',
    over(open, async (store) => {
      const report: RelayReport = { stream, fence: 1, kind: 'released' }
      expect(await record(store, report)).toEqual([report])
    }),
  )

  it(
    'accepts a report on an expired lease while nobody has taken the stream since',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      const leased = await leaseOne(store)
      await store.clock.advance(leaseMs * 2)
      expect(await record(store, confirmed(leased, 1))).toEqual([])
      expect(await confirmedOf(store.outbox, stream)).toBe(1)
    }),
  )

  it(
    'records the good reports of a batch beside those that it refuses',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream, other)
      const [first, second] = (await lease(store)) as [LeasedStream, LeasedStream]
      const forged = confirmed({ ...first, fence: first.fence + 1 }, 1)
      expect(await record(store, forged, confirmed(second, 1))).toEqual([forged])
      expect(await confirmedOf(store.outbox, first.stream)).toBe(0)
      expect(await confirmedOf(store.outbox, second.stream)).toBe(1)
    }),
  )

  it(
    'waits with a refused event until its retry time, and counts its refusals',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      await record(store, refused(await leaseOne(store), 1, store.clock.now() + 5000))
      await store.clock.advance(4999)
      expect(await lease(store)).toEqual([])
      await store.clock.advance(1)
      const again = await leaseOne(store)
      expect(again.refusals).toBe(1)
      await record(store, refused(again, 1, store.clock.now()))
      expect((await leaseOne(store)).refusals).toBe(2)
    }),
  )

  it(
    'counts refusals afresh for the event after a confirmed one',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream, stream)
      await record(store, refused(await leaseOne(store), 1, store.clock.now()))
      const leased = await leaseOne(store)
      await record(store, confirmed(leased, 1))
      expect(await expectOk(store.outbox.stream(stream))).toMatchObject({ confirmed: 1, refusals: 0 })
    }),
  )

  it(
    'records a confirmation and the refusal of the event after it in one batch',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream, stream)
      const leased = await leaseOne(store)
      await record(store, confirmed(leased, 1), refused(leased, 2, store.clock.now() + 1000))
      expect(await expectOk(store.outbox.stream(stream))).toMatchObject({ confirmed: 1, refusals: 1 })
      expect(await lease(store)).toEqual([])
    }),
  )
}

function blockContract(open: OpenStore): void {
  it(
    'L12: keeps a blocked stream visible and unleased until it is unblocked',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      const leased = await leaseOne(store)
      const since = store.clock.now()
      await record(store, blocked(leased, 1))
      await store.clock.advance(10 * leaseMs)
      expect(await lease(store)).toEqual([])
      expect(await expectOk(store.outbox.stream(stream))).toMatchObject({ blocked: { sequence: 1, reason: 'malformed', since } })
      expect(await expectOk(store.outbox.backlog())).toMatchObject({ events: 1, blockedStreams: 1 })
    }),
  )

  it(
    'leases an unblocked stream at once, with no refusals counted',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      await record(store, refused(await leaseOne(store), 1, store.clock.now()))
      await record(store, blocked(await leaseOne(store), 1))
      const state = await expectOk(store.outbox.unblock(stream))
      expect(state).toEqual({ stream, last: 1, confirmed: 0, refusals: 0, blocked: null })
      expect(await leaseOne(store)).toMatchObject({ stream, refusals: 0 })
    }),
  )

  it(
    'leaves a stream that is not blocked as it is',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream)
      const leased = await leaseOne(store)
      expect(await expectOk(store.outbox.unblock(stream))).toMatchObject({ stream, blocked: null })
      expect(await lease(store)).toEqual([])
      expect(await record(store, confirmed(leased, 1))).toEqual([])
    }),
  )

  it(
    'blocks its own stream only',
    over(open, async (store) => {
      await emit(store, fakeIds(), stream, other)
      const leases = await lease(store)
      const [first] = leases as [LeasedStream]
      await record(store, blocked(first, 1), ...leases.slice(1).map(released))
      expect((await lease(store)).map((each) => each.stream)).toEqual([stream, other].filter((each) => each !== first.stream))
    }),
  )
}
