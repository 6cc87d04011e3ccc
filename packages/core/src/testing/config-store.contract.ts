import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { everything } from '../config/changes.ts'
import type { Address, EntryVersion, UnitChanges, WatchSelection } from '../config/index.ts'
import { anyFewAddress, anyVersionContent, anyWatchSelection, fewComponents, fewKeys, fewScopes } from '../config/testing/arbitraries.ts'
import {
  byAddress,
  type ConfigLog,
  modelChain,
  modelChanges,
  modelComponents,
  modelHead,
  modelHistory,
  modelRevisionAt,
  modelSnapshot,
  modelVersion,
} from '../config/testing/config-store.model.ts'
import type { IdSource } from '../kernel/ids.ts'
import { canonicalJson, type JsonValue } from '../kernel/json.ts'
import { largestValue } from '../kernel/testing/arbitraries.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { over } from '../kernel/testing/harness.ts'
import { itHolds } from '../kernel/testing/property.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import { attemptWrites, expectOk, type OpenStore, put, remove, type StoreHarness, type Write, write } from './store-units.ts'

const [component, otherComponent] = fewComponents as [Address['component'], Address['component']]
const [key, otherKey] = fewKeys as [Address['key'], Address['key']]
const [root, production, firstCu] = fewScopes as [Address['scope'], Address['scope'], Address['scope']]
const address: Address = { component, key, scope: root }
const revision = (number: number): Revision => number as Revision

/**
 * The laws of `ConfigStore`, written to through `Transactions`.
 *
 * @param open a fresh, empty store each time
 */
export function configStoreContract(open: OpenStore, numRuns = 50): void {
  describe('ConfigStore', () => {
    emptyStoreContract(open)
    valueContract(open)
    readContract(open)
    changesContract(open)
    modelContract(open, numRuns)
  })
}

function emptyStoreContract(open: OpenStore): void {
  it(
    'answers a new store with nothing, at revision 0',
    over(open, async ({ configStore, clock }) => {
      expect((await expectOk(configStore.head())).revision).toBe(0)
      expect(await expectOk(configStore.revisionAt(clock.now()))).toBe(0)
      expect(await expectOk(configStore.chain(component, key, fewScopes, null))).toEqual({ revision: 0, versions: [] })
      expect(await expectOk(configStore.snapshot(component, fewScopes, null))).toEqual({ revision: 0, versions: [] })
      expect(await expectOk(configStore.version(address, 1))).toBeNull()
      expect(await expectOk(configStore.history(address, null, 10))).toEqual([])
      expect(await expectOk(configStore.components(null, 10))).toEqual([])
      expect(await expectOk(configStore.changes(revision(0), everything, 10))).toEqual({ units: [], through: 0 })
    }),
  )

  it(
    'has an epoch of lower-case letters and digits, which writes leave alone',
    over(open, async (store) => {
      const { epoch } = await expectOk(store.configStore.head())
      expect(epoch).toMatch(/^[a-z0-9]{1,32}$/)
      await write(store, fakeIds(), put(address, 1))
      expect(await expectOk(store.configStore.head())).toEqual({ epoch, revision: 1 })
    }),
  )
}

function valueContract(open: OpenStore): void {
  const values: readonly (readonly [string, JsonValue])[] = [
    ['null', null],
    ['false', false],
    ['the empty text', ''],
    ['the largest value', largestValue],
    ['numbers to the last bit', [0.1, 5e-324, 1.7976931348623157e308, 9007199254740991, -9007199254740991, 1e21]],
    ['every plane of Unicode', 'é e\u0301 ß İ 漢 😀 \u2028 \uFEFF \0 \ud800'],
    ['members named as those of every object', JSON.parse('{"__proto__": {"a": 1}, "constructor": null, "": 0}') as JsonValue],
    ['text that looks like SQL and its parameters', "'; DROP TABLE versions; -- @p1 :p2 $p3 ?"],
  ]
  it.each(values)('keeps %s as written', async (_name, value) => {
    await over(open, async (store) => {
      await write(store, fakeIds(), put(address, value))
      const kept = await expectOk(store.configStore.version(address, 1))
      expect(canonicalJson(kept?.value ?? null)).toBe(canonicalJson(value))
    })()
  })

  it(
    'keeps every fact of a version',
    over(open, async (store) => {
      const content = {
        op: 'put' as const,
        value: { limit: 1 },
        hash: 'fedcba9876543210fedcba9876543210',
        actor: 'https://issuer.example|billing',
        reason: "it's “due” 😀",
        requestId: 'request-2',
        restoredFrom: 7,
      }
      const { recordedAt } = await write(store, fakeIds(), { at: address, content })
      expect(await expectOk(store.configStore.version(address, 1))).toEqual({ ...address, ...content, version: 1, revision: 1, recordedAt })
    }),
  )

  it(
    'keeps null apart from a tombstone',
    over(open, async (store) => {
      const ids = fakeIds()
      await write(store, ids, put(address, null))
      await write(store, ids, remove(address))
      const history = await expectOk(store.configStore.history(address, null, 10))
      expect(history.map(({ op, value }) => [op, value])).toEqual([
        ['delete', null],
        ['put', null],
      ])
    }),
  )
}

function readContract(open: OpenStore): void {
  it(
    'goes on counting versions after a tombstone',
    over(open, async (store) => {
      const ids = fakeIds()
      await write(store, ids, put(address, 1))
      await write(store, ids, remove(address))
      await write(store, ids, put(address, 2))
      expect(await expectOk(store.configStore.version(address, 3))).toMatchObject({ version: 3, op: 'put', value: 2 })
    }),
  )

  it(
    'has no version 0',
    over(open, async (store) => {
      await write(store, fakeIds(), put(address, 1))
      expect(await expectOk(store.configStore.version(address, 0))).toBeNull()
    }),
  )

  it(
    'tells addresses apart by letter case',
    over(open, async (store) => {
      const upper = { component: 'Payments', key: 'A', scope: '/Production' } as Address
      const lower = { component: 'payments', key: 'a', scope: '/production' } as Address
      await write(store, fakeIds(), put(upper, 'upper'), put(lower, 'lower'))
      expect((await expectOk(store.configStore.version(upper, 1)))?.value).toBe('upper')
      expect((await expectOk(store.configStore.version(lower, 1)))?.value).toBe('lower')
      expect((await expectOk(store.configStore.snapshot(lower.component, [lower.scope], null))).versions).toHaveLength(1)
    }),
  )

  it(
    'answers a chain in the order asked for, without the scopes that have nothing',
    over(open, async (store) => {
      await write(store, fakeIds(), put({ component, key, scope: firstCu }, 'cu'), put(address, 'root'))
      const { versions } = await expectOk(store.configStore.chain(component, key, [firstCu, production, root], null))
      expect(versions.map(({ value }) => value)).toEqual(['cu', 'root'])
    }),
  )

  it(
    'answers a chain of no scopes with the head alone',
    over(open, async (store) => {
      await write(store, fakeIds(), put(address, 1))
      expect(await expectOk(store.configStore.chain(component, key, [], null))).toEqual({ revision: 1, versions: [] })
    }),
  )

  it(
    'orders a snapshot by the code units of its keys',
    over(open, async (store) => {
      await write(store, fakeIds(), ...fewKeys.map((each) => put({ ...address, key: each }, each)))
      const { versions } = await expectOk(store.configStore.snapshot(component, [root], null))
      expect(versions.map((version) => version.key)).toEqual(['0', 'a', 'a-b', 'a.b', 'a0', 'ab', 'b'])
    }),
  )

  it(
    'reads the past: nothing before the first revision, a tombstone only from its revision on',
    over(open, async (store) => {
      const ids = fakeIds()
      await write(store, ids, put(address, 1))
      await write(store, ids, remove(address))
      const at = async (asOf: number): Promise<readonly EntryVersion[]> =>
        (await expectOk(store.configStore.chain(component, key, [root], revision(asOf)))).versions
      expect((await Promise.all([0, 1, 2].map(at))).map((versions) => versions.map(({ op }) => op))).toEqual([[], ['put'], ['delete']])
    }),
  )

  it(
    'finds the revision of an instant: 0 before the first unit, the last of those recorded together',
    over(open, async (store) => {
      const ids = fakeIds()
      const first = await write(store, ids, put(address, 1))
      await write(store, ids, put(address, 2))
      await store.clock.advance(1000)
      const third = await write(store, ids, put(address, 3))
      const instants = [first.recordedAt - 1, first.recordedAt, third.recordedAt - 1, third.recordedAt, third.recordedAt + 1]
      const found = await Promise.all(instants.map((instant) => expectOk(store.configStore.revisionAt(instant))))
      expect(found).toEqual([0, 2, 2, 3, 3])
    }),
  )

  it(
    'pages history from the newest down',
    over(open, async (store) => {
      const ids = fakeIds()
      for (const value of [1, 2, 3, 4, 5]) await write(store, ids, put(address, value))
      const page = async (before: number | null, limit: number): Promise<readonly number[]> =>
        (await expectOk(store.configStore.history(address, before, limit))).map(({ version }) => version)
      expect([await page(null, 2), await page(4, 2), await page(2, 2), await page(1, 2), await page(99, 1)]).toEqual([
        [5, 4],
        [3, 2],
        [1],
        [],
        [5],
      ])
    }),
  )

  it(
    'lists every component ever written, counting the entries that hold a value',
    over(open, async (store) => {
      const ids = fakeIds()
      const there = { component: otherComponent, key: otherKey, scope: production }
      await write(store, ids, put(address, 1), put({ ...address, scope: production }, 1), put(there, null))
      await write(store, ids, remove(there))
      expect(await expectOk(store.configStore.components(null, 10))).toEqual([
        { component, entries: 2, revision: 1 },
        { component: otherComponent, entries: 0, revision: 2 },
      ])
    }),
  )

  it(
    'pages components by name',
    over(open, async (store) => {
      await write(store, fakeIds(), ...fewComponents.map((each) => put({ ...address, component: each }, 1)))
      const page = async (after: string | null, limit: number): Promise<readonly string[]> =>
        (await expectOk(store.configStore.components(after, limit))).map((each) => each.component)
      expect(await page(null, 2)).toEqual(['payments', 'payments-eu'])
      expect(await page('payments-eu', 2)).toEqual(['security'])
      expect(await page('payments-a', 1)).toEqual(['payments-eu'])
      expect(await page('zzz', 2)).toEqual([])
    }),
  )
}

function changesContract(open: OpenStore): void {
  it(
    'L1: never cuts a unit in two',
    over(open, async (store) => {
      const ids = fakeIds()
      await write(store, ids, ...fewKeys.map((each) => put({ ...address, key: each }, 1)))
      await write(store, ids, put(address, 2))
      const { units, through } = await expectOk(store.configStore.changes(revision(0), everything, 1))
      expect(units[0]?.changes).toHaveLength(fewKeys.length)
      expect(through).toBe(units.at(-1)?.revision)
    }),
  )

  it(
    'L6: reads about as many changes as asked for, and goes on from there',
    over(open, async (store) => {
      const ids = fakeIds()
      for (let value = 0; value < 20; value += 1) await write(store, ids, put(address, value))
      const { units, through } = await expectOk(store.configStore.changes(revision(5), everything, 4))
      expect(units.length).toBeGreaterThan(0)
      expect(units.length).toBeLessThan(10)
      expect(units.map((unit) => unit.revision)).toEqual(units.map((_, index) => index + 6))
      expect(through).toBe(5 + units.length)
    }),
  )

  it(
    'L6: gets past units that the selection leaves out',
    over(open, async (store) => {
      const ids = fakeIds()
      const quiet: WatchSelection = { component: otherComponent, scopes: null }
      for (let value = 0; value < 12; value += 1) await write(store, ids, put(address, value))
      await write(store, ids, put({ ...address, component: otherComponent }, 1))
      expect((await readAllChanges(store, revision(0), quiet, 2)).map((unit) => unit.revision)).toEqual([13])
    }),
  )

  it(
    'answers nothing at the head',
    over(open, async (store) => {
      await write(store, fakeIds(), put(address, 1))
      expect(await expectOk(store.configStore.changes(revision(1), everything, 10))).toEqual({ units: [], through: 1 })
    }),
  )
}

/** Reads on until the head; every step has to get further. */
async function readAllChanges(
  { configStore }: StoreHarness,
  after: Revision,
  selection: WatchSelection,
  limit: number,
): Promise<readonly UnitChanges[]> {
  const head = (await expectOk(configStore.head())).revision
  const read: UnitChanges[] = []
  let from = after
  while (from < head) {
    const { units, through } = await expectOk(configStore.changes(from, selection, limit))
    expect(through).toBeGreaterThan(from)
    expect(units.every((unit) => unit.revision > from && unit.revision <= through)).toBe(true)
    read.push(...units.map(byAddress))
    from = through
  }
  return read
}

type Unit = Readonly<{ waitMs: number; writes: readonly Write[] }>

const anyUnit: fc.Arbitrary<Unit> = fc.record({
  waitMs: fc.constantFrom(0, 0, 1, 1000),
  writes: fc.uniqueArray(fc.record({ at: anyFewAddress, content: anyVersionContent }), {
    minLength: 1,
    maxLength: 4,
    selector: ({ at }) => `${at.component} ${at.key} ${at.scope}`,
  }),
})

async function commitUnit(store: StoreHarness, ids: IdSource, { waitMs, writes }: Unit): Promise<readonly EntryVersion[]> {
  await store.clock.advance(waitMs)
  const { value: drafts, commit } = await expectOk(attemptWrites(store, ids.next(), writes))
  return drafts.map((draft) => ({ ...draft, revision: commit.revision as Revision, recordedAt: commit.recordedAt }))
}

function modelContract(open: OpenStore, numRuns: number): void {
  itHolds(
    'L1: every read equals that of a naive model, at the head and at every revision before it',
    numRuns,
    fc.asyncProperty(
      fc.array(anyUnit, { maxLength: 8 }),
      fc.uniqueArray(fc.constantFrom(...fewScopes)),
      fc.tuple(fc.integer({ min: 1, max: 5 }), fc.option(fc.integer({ min: 1, max: 4 }))),
      (units, scopes, [limit, before]) =>
        over(open, async (store) => {
          const ids = fakeIds()
          const log: EntryVersion[] = []
          for (const unit of units) {
            log.push(...(await commitUnit(store, ids, unit)))
            expect((await expectOk(store.configStore.head())).revision).toBe(modelHead(log))
          }
          for (let asOf = 0; asOf <= units.length; asOf += 1) await compareReads(store, log, scopes, revision(asOf))
          await compareEntries(store, log, limit, before)
        })(),
    ),
  )

  itHolds(
    'L6: reading changes step by step sees every matching unit once, in order',
    numRuns,
    fc.asyncProperty(
      fc.array(anyUnit, { minLength: 1, maxLength: 10 }),
      anyWatchSelection,
      fc.integer({ min: 1, max: 6 }),
      fc.nat(10),
      (units, selection, limit, from) =>
        over(open, async (store) => {
          const ids = fakeIds()
          const log: EntryVersion[] = []
          for (const unit of units) log.push(...(await commitUnit(store, ids, unit)))
          const after = revision(Math.min(from, units.length))
          expect(await readAllChanges(store, after, selection, limit)).toEqual(modelChanges(log, after, modelHead(log), selection))
        })(),
    ),
  )
}

async function compareReads(
  { configStore }: StoreHarness,
  log: ConfigLog,
  scopes: readonly Address['scope'][],
  asOf: Revision,
): Promise<void> {
  const head = modelHead(log)
  for (const each of fewComponents) {
    const expected = { revision: asOf, versions: modelSnapshot(log, each, scopes, asOf) }
    expect(await expectOk(configStore.snapshot(each, scopes, asOf))).toEqual(expected)
    if (asOf === head) expect(await expectOk(configStore.snapshot(each, scopes, null))).toEqual(expected)
  }
  for (const each of fewKeys.slice(0, 3)) {
    const expected = { revision: asOf, versions: modelChain(log, component, each, scopes, asOf) }
    expect(await expectOk(configStore.chain(component, each, scopes, asOf))).toEqual(expected)
  }
  for (const { recordedAt } of log.filter((version) => version.revision === asOf)) {
    for (const instant of [recordedAt - 1, recordedAt]) {
      expect(await expectOk(configStore.revisionAt(instant))).toBe(modelRevisionAt(log, instant))
    }
  }
}

async function compareEntries({ configStore }: StoreHarness, log: ConfigLog, limit: number, before: number | null): Promise<void> {
  for (const at of log) {
    const below = modelHistory(log, at).filter(({ version }) => before === null || version < before)
    expect(await expectOk(configStore.history(at, before, limit))).toEqual(below.slice(0, limit))
    expect(await expectOk(configStore.version(at, at.version + 1))).toEqual(modelVersion(log, at, at.version + 1))
  }
  const components = modelComponents(log)
  expect(await expectOk(configStore.components(null, 10))).toEqual(components)
  const first = components[0]?.component ?? null
  expect(await expectOk(configStore.components(first, limit))).toEqual(components.slice(1, 1 + limit))
}
