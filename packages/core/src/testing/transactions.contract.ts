import fc from 'fast-check'
import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import type { Address } from '../config/index.ts'
import { fewComponents, fewKeys, fewScopes } from '../config/testing/arbitraries.ts'
import type { StreamState } from '../events/index.ts'
import { fewStreams } from '../events/testing/arbitraries.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { over } from '../kernel/testing/harness.ts'
import { itHolds } from '../kernel/testing/property.ts'
import type { Commit } from '../kernel/unit-of-work.ts'
import {
  attemptEvents,
  attemptRefused,
  attemptVersion,
  attemptWrites,
  emit,
  eventOn,
  expectOk,
  type OpenStore,
  plainContent,
  put,
  recordWrites,
  remove,
  type StoreHarness,
  write,
} from './store-units.ts'

const [component, otherComponent] = fewComponents as [Address['component'], Address['component']]
const [key, otherKey] = fewKeys as [Address['key'], Address['key']]
const [scope] = fewScopes as [Address['scope']]
const [stream] = fewStreams as [(typeof fewStreams)[number]]
const address: Address = { component, key, scope }
const other: Address = { component: otherComponent, key: otherKey, scope }

/**
 * The laws of `Transactions`, seen through the other ports of its store.
 *
 * @param open a fresh, empty store each time
 */
export function transactionsContract(open: OpenStore, numRuns = 50): void {
  describe('Transactions', () => {
    commitContract(open)
    refusalContract(open)
    settleContract(open)
    raceContract(open, numRuns)
  })
}

function commitContract(open: OpenStore): void {
  it(
    'answers the value of the work with the commit',
    over(open, async (store) => {
      const ids = fakeIds()
      const unit = ids.next()
      const committed = await expectOk(attemptWrites(store, unit, [put(address, 1)]))
      expect(committed.value).toHaveLength(1)
      expect(committed.commit).toEqual({ unit, revision: 1, recordedAt: store.clock.now(), topics: ['revisions'] })
    }),
  )

  it(
    'runs the work once',
    over(open, async (store) => {
      let runs = 0
      await store.transactions.attempt(fakeIds().next(), (tx) => {
        runs += 1
        return recordWrites(tx, [put(address, 1)])
      })
      expect(runs).toBe(1)
    }),
  )

  it(
    'L1: gives one revision to a unit, however many entries it writes',
    over(open, async (store) => {
      const ids = fakeIds()
      const { revision } = await write(store, ids, put(address, 1), put(other, 2))
      const { versions } = await expectOk(store.configStore.chain(component, key, [scope], null))
      const both = [versions[0]?.revision, (await expectOk(store.configStore.version(other, 1)))?.revision]
      expect(both).toEqual([revision, revision])
    }),
  )

  it(
    'L1: takes no revision for a unit that writes no configuration',
    over(open, async (store) => {
      const ids = fakeIds()
      const { commit } = await expectOk(attemptEvents(store, ids.next(), [eventOn(stream, ids, store.clock)]))
      expect(commit).toMatchObject({ revision: null, topics: ['events'] })
      expect((await expectOk(store.configStore.head())).revision).toBe(0)
    }),
  )

  it(
    'names both topics for a unit that writes configuration and events',
    over(open, async (store) => {
      const ids = fakeIds()
      const { commit } = await expectOk(
        store.transactions.attempt(ids.next(), (tx) =>
          recordWrites(tx, [put(address, 1)]).map(() => tx.outbox.append(eventOn(stream, ids, store.clock))),
        ),
      )
      expect(commit.topics.toSorted()).toEqual(['events', 'revisions'])
    }),
  )

  it(
    'commits a unit that only reads',
    over(open, async (store) => {
      const ids = fakeIds()
      await write(store, ids, put(address, 1))
      const { value, commit } = await expectOk(store.transactions.attempt(ids.next(), (tx) => tx.config.newest(address)))
      expect(value).toMatchObject({ version: 1, value: 1, revision: 1 })
      expect(commit).toMatchObject({ revision: null, topics: [] })
    }),
  )

  it(
    'reads the newest version inside a unit, tombstones included',
    over(open, async (store) => {
      const ids = fakeIds()
      await write(store, ids, put(address, 1))
      await write(store, ids, remove(address))
      const { value } = await expectOk(store.transactions.attempt(ids.next(), (tx) => tx.config.newest(address)))
      expect(value).toMatchObject({ version: 2, op: 'delete', value: null })
    }),
  )

  it(
    'reads any version inside a unit, and null for one that is not there',
    over(open, async (store) => {
      const ids = fakeIds()
      await write(store, ids, put(address, 'first'))
      await write(store, ids, put(address, 'second'))
      const read = (version: number): Promise<unknown> =>
        expectOk(store.transactions.attempt(ids.next(), (tx) => tx.config.version(address, version))).then(({ value }) => value)
      expect(await read(1)).toMatchObject({ version: 1, value: 'first' })
      expect([await read(0), await read(3)]).toEqual([null, null])
    }),
  )

  it(
    'L1: never records a unit earlier than the one before it, though the clock goes back',
    over(open, async (store) => {
      const ids = fakeIds()
      const first = await write(store, ids, put(address, 1))
      await store.clock.advance(-60_000)
      const second = await write(store, ids, put(address, 2))
      await store.clock.advance(120_000)
      const third = await write(store, ids, put(address, 3))
      expect(second.recordedAt).toBeGreaterThanOrEqual(first.recordedAt)
      expect(third.recordedAt).toBeGreaterThan(second.recordedAt)
    }),
  )
}

function refusalContract(open: OpenStore): void {
  it(
    'writes nothing when the work answers an error, and answers that error',
    over(open, async (store) => {
      const ids = fakeIds()
      const refused = await attemptRefused(store, ids.next(), [put(address, 1)], [eventOn(stream, ids, store.clock)])
      expect(refused._unsafeUnwrapErr()).toBe('refused')
      expect(await contentsOf(store)).toEqual({ revision: 0, version: null, stream: null })
    }),
  )

  it(
    'leaves no hole in revisions and sequences where a unit was refused',
    over(open, async (store) => {
      const ids = fakeIds()
      await write(store, ids, put(address, 1))
      await emit(store, ids, stream)
      await attemptRefused(store, ids.next(), [put(address, 2)], [eventOn(stream, ids, store.clock)])
      expect((await write(store, ids, put(address, 3))).revision).toBe(2)
      expect((await emit(store, ids, stream))[0]?.sequence).toBe(2)
    }),
  )

  it(
    'L2: is contended by a version number that is taken, and writes nothing of the unit',
    over(open, async (store) => {
      const ids = fakeIds()
      await write(store, ids, put(address, 1))
      const late = await store.transactions.attempt(ids.next(), (tx) => {
        tx.config.append({ ...other, ...plainContent, version: 1, op: 'put', value: 2 })
        tx.config.append({ ...address, ...plainContent, version: 1, op: 'put', value: 2 })
        tx.outbox.append(eventOn(stream, ids, store.clock))
        return okAsync(null)
      })
      expect(late._unsafeUnwrapErr()).toMatchObject({ kind: 'contended' })
      expect(await expectOk(store.configStore.version(other, 1))).toBeNull()
      expect(await contentsOf(store)).toMatchObject({ revision: 1, version: 1, stream: null })
    }),
  )
}

function settleContract(open: OpenStore): void {
  it(
    'L0: settles a committed unit with its commit, as often as it is asked',
    over(open, async (store) => {
      const ids = fakeIds()
      const commit = await write(store, ids, put(address, 1))
      await write(store, ids, put(address, 2))
      expect(await expectOk(store.transactions.settle(commit.unit))).toEqual(commit)
      expect(await expectOk(store.transactions.settle(commit.unit))).toEqual(commit)
    }),
  )

  it(
    'L0: settles a unit of events alone with its commit',
    over(open, async (store) => {
      const ids = fakeIds()
      const { commit } = await expectOk(attemptEvents(store, ids.next(), [eventOn(stream, ids, store.clock)]))
      expect(await expectOk(store.transactions.settle(commit.unit))).toEqual(commit)
    }),
  )

  it(
    'L0: never commits a unit that was settled before it came',
    over(open, async (store) => {
      const ids = fakeIds()
      const unit = ids.next()
      expect(await expectOk(store.transactions.settle(unit))).toBeNull()
      const late = await attemptWrites(store, unit, [put(address, 1)])
      expect(late._unsafeUnwrapErr()).toMatchObject({ kind: 'contended' })
      expect(await contentsOf(store)).toMatchObject({ revision: 0, version: null })
      expect(await expectOk(store.transactions.settle(unit))).toBeNull()
    }),
  )

  it(
    'L0: never commits a unit of events that was settled before it came',
    over(open, async (store) => {
      const ids = fakeIds()
      const unit = ids.next()
      await expectOk(store.transactions.settle(unit))
      expect((await attemptEvents(store, unit, [eventOn(stream, ids, store.clock)])).isErr()).toBe(true)
      expect(await contentsOf(store)).toMatchObject({ stream: null })
    }),
  )

  it(
    'L0: gives no second effect to a unit that is sent again',
    over(open, async (store) => {
      const ids = fakeIds()
      const commit = await write(store, ids, put(address, 1))
      const again = await attemptWrites(store, commit.unit, [put(address, 2)])
      expect(again.isErr()).toBe(true)
      expect(await contentsOf(store)).toMatchObject({ revision: 1, version: 1 })
      expect(await expectOk(store.transactions.settle(commit.unit))).toEqual(commit)
    }),
  )

  it(
    'L0: settles a refused unit as never committed',
    over(open, async (store) => {
      const ids = fakeIds()
      const unit = ids.next()
      await attemptRefused(store, unit, [put(address, 1)], [])
      expect(await expectOk(store.transactions.settle(unit))).toBeNull()
    }),
  )

  it(
    'void units take no revision',
    over(open, async (store) => {
      const ids = fakeIds()
      await expectOk(store.transactions.settle(ids.next()))
      expect((await write(store, ids, put(address, 1))).revision).toBe(1)
    }),
  )
}

function raceContract(open: OpenStore, numRuns: number): void {
  it(
    'L2: lets exactly one of two units that follow one version win',
    over(open, async (store) => {
      const ids = fakeIds()
      await write(store, ids, put(address, 0))
      const racers = await Promise.all([1, 2].map((value) => attemptVersion(store, ids.next(), put(address, value), 2)))
      expect(racers.filter((racer) => racer.isOk())).toHaveLength(1)
      expect(racers.find((racer) => racer.isErr())?._unsafeUnwrapErr()).toMatchObject({ kind: 'contended' })
    }),
  )

  it(
    'L2: keeps what a unit has read as it was, or is contended',
    over(open, async (store) => {
      const ids = fakeIds()
      await write(store, ids, put(address, 0), put(other, 0))
      // Each copies the other's value: run one after the other, both end equal.
      const copy = (from: Address, to: Address, value: number): ResultAsync<unknown, unknown> =>
        store.transactions.attempt(ids.next(), (tx) =>
          tx.config.newest(from).andThen((read) => (read?.version === 1 ? recordWrites(tx, [put(to, value)]) : errAsync('moved'))),
        )
      const racers = await Promise.all([copy(address, other, 1), copy(other, address, 2)])
      expect(racers.filter((racer) => racer.isOk())).toHaveLength(1)
    }),
  )

  itHolds(
    'L0: a unit settled while it commits took effect if and only if settle says so',
    numRuns,
    fc.asyncProperty(fc.scheduler(), (scheduler) =>
      over(open, async (store) => {
        const ids = fakeIds()
        const unit = ids.next()
        const send = scheduler.schedule(Promise.resolve()).then(() => attemptWrites(store, unit, [put(address, 1)]))
        const settle = scheduler.schedule(Promise.resolve()).then(() => expectOk(store.transactions.settle(unit)))
        const [sent, settled] = await scheduler.waitFor(Promise.all([send, settle]))
        const again = await expectOk(store.transactions.settle(unit))
        expect(again).toEqual(settled)
        expect((await contentsOf(store)).revision).toBe(settled === null ? 0 : 1)
        if (sent.isOk()) expect(settled).toEqual(sent.value.commit)
      })(),
    ),
  )

  itHolds(
    'L1, L2: racing units take successive revisions and lose no write',
    numRuns,
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.uniqueArray(fc.constantFrom(address, other), { minLength: 1 }), { minLength: 2, maxLength: 6 }),
      (scheduler, units) =>
        over(open, async (store) => {
          const ids = fakeIds()
          const racers = units.map((addresses, index) =>
            scheduler.schedule(Promise.resolve()).then(() =>
              attemptWrites(
                store,
                ids.next(),
                addresses.map((at) => put(at, index)),
              ),
            ),
          )
          const outcomes = await scheduler.waitFor(Promise.all(racers))
          const won = outcomes.flatMap((outcome, index) => (outcome.isOk() ? [{ commit: outcome.value.commit, index }] : []))
          for (const outcome of outcomes) if (outcome.isErr()) expect(outcome.error).toMatchObject({ kind: 'contended' })
          expect(won.map(({ commit }) => commit.revision).toSorted(ascending)).toEqual(won.map((_, index) => index + 1))
          expect(won.length).toBeGreaterThan(0)
          for (const at of [address, other])
            await expectHistory(
              store,
              at,
              won.filter(({ index }) => units[index]?.includes(at)),
            )
        })(),
    ),
  )
}

async function expectHistory(store: StoreHarness, at: Address, won: readonly Readonly<{ commit: Commit; index: number }>[]): Promise<void> {
  const history = await expectOk(store.configStore.history(at, null, 100))
  const expected = won.toSorted((left, right) => ascending(right.commit.revision, left.commit.revision))
  expect(history.map(({ revision, value }) => ({ revision, value }))).toEqual(
    expected.map(({ commit, index }) => ({ revision: commit.revision, value: index })),
  )
  expect(history.map(({ version }) => version)).toEqual(expected.map((_, index) => expected.length - index))
}

function ascending(left: number | null, right: number | null): number {
  return (left ?? 0) - (right ?? 0)
}

async function contentsOf({
  configStore,
  outbox,
}: StoreHarness): Promise<Readonly<{ revision: number; version: number | null; stream: StreamState | null }>> {
  return {
    revision: (await expectOk(configStore.head())).revision,
    version: (await expectOk(configStore.history(address, null, 1)))[0]?.version ?? null,
    stream: await expectOk(outbox.stream(stream)),
  }
}
