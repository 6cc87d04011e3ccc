import fc from 'fast-check'
import { errAsync, okAsync, ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import type { Stream } from '../events/index.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { fakeRandom } from '../kernel/testing/fake-random.ts'
import { fakeSignals } from '../kernel/testing/fake-signals.ts'
import { over } from '../kernel/testing/harness.ts'
import { itHolds, propertySeed } from '../kernel/testing/property.ts'
import { unitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { forEachKind, type RowKind } from './record-kinds.ts'
import { alike, apart, attempt, held, insert, keyOf, replace, same, sample, sorted, type Work } from './record-units.ts'
import { eventOn, expectOk, type OpenStore } from './store-units.ts'

/**
 * The laws of `Records`, for every kind of row.
 *
 * @param open a fresh, empty store each time
 */
export function recordsContract(open: OpenStore, numRuns = 20): void {
  describe('Records', () => {
    forEachKind((kind) => {
      describe(kind.name, () => {
        rowContract(open, kind, numRuns)
        atomicityContract(open, kind)
        raceContract(open, kind, Math.min(numRuns, 20))
        if (kind.isAppendOnly) appendOnlyContract(open, kind)
        else updateRaceContract(open, kind, Math.min(numRuns, 20))
        defectContract(open, kind)
      })
    })
    keyContract(open)
  })
}

function rowContract<Row, KeyName extends keyof Row>(open: OpenStore, kind: RowKind<Row, KeyName>, numRuns: number): void {
  itHolds(
    'keeps any row as it was inserted, and as it was updated',
    numRuns,
    fc.asyncProperty(apart(kind, 1, 5), fc.array(kind.rows, { minLength: 5, maxLength: 5 }), (rows, others) =>
      over(open, async (store) => {
        const ids = fakeIds()
        await insert(store, ids, kind, ...rows)
        for (const row of rows) expect(await held(store, ids, kind, row)).toEqual(row)
        if (kind.isAppendOnly) return
        const changed = rows.map((row, index) => ({ ...others[index], ...keyOf(kind, row) }) as Row)
        for (const row of changed) await expectOk(attempt(store, ids, (tx) => new ResultAsync(replace(tx, kind, row))))
        for (const row of changed) expect(await held(store, ids, kind, row)).toEqual(row)
      })(),
    ),
  )

  it(
    'keeps what is absent, empty, long or as large as a number gets',
    over(open, async (store) => {
      const ids = fakeIds()
      const rows = sample(apart(kind, kind.edges.length)).map((row, index) => ({ ...row, ...kind.edges[index] }))
      await insert(store, ids, kind, ...rows)
      for (const row of rows) expect(await held(store, ids, kind, row)).toEqual(row)
    }),
  )

  it(
    'finds null where there is no row',
    over(open, async (store) => {
      const [here, elsewhere] = sample(apart(kind, 2)) as [Row, Row]
      const ids = fakeIds()
      await insert(store, ids, kind, here)
      expect(await held(store, ids, kind, elsewhere)).toBeNull()
    }),
  )
}

function atomicityContract<Row, KeyName extends keyof Row>(open: OpenStore, kind: RowKind<Row, KeyName>): void {
  it(
    'is contended by a key that is taken, and writes nothing of the unit',
    over(open, async (store) => {
      const ids = fakeIds()
      const [first, second] = sample(alike(kind, 2)) as [Row, Row]
      const bystander = sample(
        apart(kind, 8).map((rows) => rows.find((row) => JSON.stringify(keyOf(kind, row)) !== JSON.stringify(keyOf(kind, first)))),
      )
      const stream = 'system' as Stream
      await insert(store, ids, kind, first)
      const late = await attempt(store, ids, (tx) => {
        kind.of(tx).insert(bystander as Row)
        tx.outbox.append(eventOn(stream, ids, store.clock))
        kind.of(tx).insert(second)
        return okAsync(null)
      })
      expect(late._unsafeUnwrapErr()).toMatchObject({ kind: 'contended' })
      expect(await held(store, ids, kind, first)).toEqual(first)
      expect(await held(store, ids, kind, bystander as Row)).toBeNull()
      expect(await expectOk(store.outbox.stream(stream))).toBeNull()
    }),
  )

  it(
    'writes nothing when the work answers an error',
    over(open, async (store) => {
      const ids = fakeIds()
      const [row, changed] = sample(alike(kind, 2)) as [Row, Row]
      const refuse = (put: Row): Work<never, unknown> => {
        return (tx) => new ResultAsync(replace(tx, kind, put)).andThen(() => errAsync('refused'))
      }
      expect((await attempt(store, ids, refuse(row)))._unsafeUnwrapErr()).toBe('refused')
      expect(await held(store, ids, kind, row)).toBeNull()
      await insert(store, ids, kind, row)
      if (kind.isAppendOnly) return
      expect((await attempt(store, ids, refuse(changed)))._unsafeUnwrapErr()).toBe('refused')
      expect(await held(store, ids, kind, row)).toEqual(row)
    }),
  )

  it(
    'L0: writes nothing of a unit that was settled before it came, and settles one that wrote with its commit',
    over(open, async (store) => {
      const ids = fakeIds()
      const row = sample(kind.rows)
      const [early, unit] = [ids.next(), ids.next()]
      expect(await expectOk(store.transactions.settle(early))).toBeNull()
      expect((await store.transactions.attempt(early, (tx) => new ResultAsync(replace(tx, kind, row)))).isErr()).toBe(true)
      expect(await held(store, ids, kind, row)).toBeNull()
      const { commit } = await expectOk(store.transactions.attempt(unit, (tx) => new ResultAsync(replace(tx, kind, row))))
      expect(await expectOk(store.transactions.settle(unit))).toEqual(commit)
      expect(commit.revision).toBeNull()
    }),
  )
}

function raceContract<Row, KeyName extends keyof Row>(open: OpenStore, kind: RowKind<Row, KeyName>, numRuns: number): void {
  itHolds(
    'lets exactly one of two units that insert under one key commit; the other is contended',
    numRuns,
    fc.asyncProperty(fc.scheduler(), alike(kind, 2), (scheduler, rows) =>
      over(open, async (store) => {
        const ids = fakeIds()
        const racers = rows.map((row) =>
          scheduler.schedule(Promise.resolve()).then(() =>
            attempt(store, ids, (tx) =>
              kind
                .of(tx)
                .find(keyOf(kind, row))
                .map(() => kind.of(tx).insert(row)),
            ),
          ),
        )
        const outcomes = await scheduler.waitFor(Promise.all(racers))
        const winner = outcomes.findIndex((outcome) => outcome.isOk())
        expect(outcomes.filter((outcome) => outcome.isOk())).toHaveLength(1)
        expect(outcomes.find((outcome) => outcome.isErr())?._unsafeUnwrapErr()).toMatchObject({ kind: 'contended' })
        expect(await held(store, ids, kind, rows[0] as Row)).toEqual(rows[winner])
      })(),
    ),
  )

  it(
    'keeps what a unit has found as it was, or the unit is contended; absence too',
    over(open, async (store) => {
      const ids = fakeIds()
      const [[one, oneChanged], [two, twoChanged]] = twoPairs(kind)
      // Run one after the other, the second would find what the first has written, and be refused.
      const unless = (watched: Row, expected: Row | null, put: Row): ResultAsync<unknown, unknown> =>
        attempt(store, ids, (tx) =>
          kind
            .of(tx)
            .find(keyOf(kind, watched))
            .andThen((found) => (same(found, expected) ? new ResultAsync(replace(tx, kind, put)) : errAsync('moved' as const))),
        )
      const inserts = await Promise.all([unless(one, null, two), unless(two, null, one)])
      expect(inserts.filter((outcome) => outcome.isOk())).toHaveLength(1)
      if (kind.isAppendOnly) return
      const missing = (await held(store, ids, kind, one)) === null ? one : two
      await insert(store, ids, kind, missing)
      const updates = await Promise.all([unless(one, one, twoChanged), unless(two, two, oneChanged)])
      expect(updates.filter((outcome) => outcome.isOk())).toHaveLength(1)
    }),
  )
}

function updateRaceContract<Row, KeyName extends keyof Row>(open: OpenStore, kind: RowKind<Row, KeyName>, numRuns: number): void {
  itHolds(
    'loses no update of units that read, change and write one row',
    numRuns,
    fc.asyncProperty(fc.scheduler(), alike(kind, 3, 5), (scheduler, rows) =>
      over(open, async (store) => {
        const ids = fakeIds()
        const clock = { now: store.clock.now, sleep: async () => {} }
        const { run } = unitOfWork<Transaction>({ ...store, ids, clock, random: fakeRandom(1), signals: fakeSignals() })
        const racers = rows.map((row) =>
          scheduler.schedule(Promise.resolve()).then(() => expectOk(run((tx) => new ResultAsync(replace(tx, kind, row))))),
        )
        const replaced = (await scheduler.waitFor(Promise.all(racers))).map(({ value }) => value)
        // Each found what another had left, nobody the same, and only the last is still there.
        const left = [...replaced, await held(store, ids, kind, rows[0] as Row)]
        expect(new Set(left.map((row) => JSON.stringify(sorted(row))))).toEqual(
          new Set([null, ...rows].map((row) => JSON.stringify(sorted(row)))),
        )
      })(),
    ),
  )
}

function appendOnlyContract<Row, KeyName extends keyof Row>(open: OpenStore, kind: RowKind<Row, KeyName>): void {
  it(
    'takes every update for a defect, and writes nothing of the unit',
    over(open, async (store) => {
      const ids = fakeIds()
      const [row, changed] = sample(alike(kind, 2)) as [Row, Row]
      await insert(store, ids, kind, row)
      const update = async (): Promise<unknown> => attempt(store, ids, (tx) => new ResultAsync(replace(tx, kind, changed)))
      await expect(update()).rejects.toThrow('kept as it is')
      expect(await held(store, ids, kind, row)).toEqual(row)
    }),
  )
}

/** Two rows under different keys, each with another state of it. */
function twoPairs<Row, KeyName extends keyof Row>(kind: RowKind<Row, KeyName>): readonly [readonly [Row, Row], readonly [Row, Row]] {
  const [one, two] = sample(apart(kind, 2)) as [Row, Row]
  const changed = (row: Row): Row =>
    sample(kind.rows.map((other) => ({ ...other, ...keyOf(kind, row) })).filter((other) => !same(other, row)))
  return [
    [one, changed(one)],
    [two, changed(two)],
  ]
}

function defectContract<Row, KeyName extends keyof Row>(open: OpenStore, kind: RowKind<Row, KeyName>): void {
  it(
    'takes a row that is recorded twice in one unit for a defect, and writes nothing',
    over(open, async (store) => {
      const ids = fakeIds()
      const [row, changed] = sample(alike(kind, 2)) as [Row, Row]
      const twice = async (put: Row): Promise<unknown> =>
        attempt(store, ids, (tx) => new ResultAsync(replace(tx, kind, put)).andThen(() => new ResultAsync(replace(tx, kind, put))))
      await expect(twice(row)).rejects.toThrow('twice')
      expect(await held(store, ids, kind, row)).toBeNull()
      await insert(store, ids, kind, row)
      if (kind.isAppendOnly) return
      await expect(twice(changed)).rejects.toThrow('twice')
      expect(await held(store, ids, kind, row)).toEqual(row)
    }),
  )

  it(
    'takes an update of a row that is not there for a defect, and writes nothing',
    over(open, async (store) => {
      const ids = fakeIds()
      const row = sample(kind.rows)
      const update = async (): Promise<unknown> =>
        attempt(store, ids, (tx) =>
          kind
            .of(tx)
            .find(keyOf(kind, row))
            .map(() => kind.of(tx).update(row)),
        )
      await expect(update()).rejects.toThrow()
      expect(await held(store, ids, kind, row)).toBeNull()
    }),
  )
}

/** Texts that a collation, a trim or a separator would confuse. */
const lookalikes: readonly string[] = [
  'key',
  'KEY',
  'Key',
  'key ',
  ' key',
  'kéy',
  'ke\u0301y',
  'kẹy',
  'key.',
  'key|',
  'k ey',
  '"key"',
  "key'",
  'ключ',
]

function keyContract(open: OpenStore): void {
  it(
    'tells keys apart that differ in case, spaces, accents or normal form',
    over(open, async (store) => {
      const ids = fakeIds()
      const keepApart = async <Row, KeyName extends keyof Row>(
        kind: RowKind<Row, KeyName>,
        ...names: readonly KeyName[]
      ): Promise<void> => {
        const plain = sample(kind.rows)
        const rows = names.flatMap((name) =>
          lookalikes.map((text, index) => ({ ...variant(kind, index), ...keyOf(kind, plain), [name]: text }) as Row),
        )
        await insert(store, ids, kind, ...rows)
        for (const row of rows) expect(await held(store, ids, kind, row)).toEqual(row)
      }
      const free = new Map<string, readonly string[]>([
        ['paymentReferences', ['reference', 'client']],
        ['idempotencyKeys', ['key', 'client']],
        ['inbox', ['stream', 'consumer']],
        ['receivedWebhooks', ['id']],
      ])
      const visits: Promise<void>[] = []
      forEachKind((kind) => {
        visits.push(keepApart(kind, ...((free.get(kind.name) ?? []) as readonly (typeof kind.keyNames)[number][])))
      })
      await Promise.all(visits)
    }),
  )

  it(
    'tells keys apart whose parts are divided elsewhere',
    over(open, async (store) => {
      const ids = fakeIds()
      const parts = [
        ['a', 'b c'],
        ['a b', 'c'],
        ['a|b', 'c'],
        ['a', 'b|c'],
        ['a","b', 'c'],
        ['a', 'b","c'],
      ] as const
      const rows = parts.map(([client, reference], index) => ({ client, reference, paymentId: `payment ${index}` as never }))
      await expectOk(
        attempt(store, ids, (tx) => {
          for (const row of rows) tx.paymentReferences.insert(row)
          return okAsync(null)
        }),
      )
      for (const row of rows) {
        const { value } = await expectOk(attempt(store, ids, (tx) => tx.paymentReferences.find(row)))
        expect(value).toEqual(row)
      }
    }),
  )

  it(
    'keeps rows of different kinds apart that have one key',
    over(open, async (store) => {
      const ids = fakeIds()
      const id = ids.next()
      const checks: (() => Promise<void>)[] = []
      const recordings: ((tx: Transaction) => void)[] = []
      forEachKind((kind) => {
        const [name, ...others] = kind.keyNames
        const drawn = sample(kind.rows)
        if (name === undefined || others.length > 0 || typeof drawn[name] !== 'string') return
        const row = { ...drawn, [name]: id } as never
        recordings.push((tx) => kind.of(tx).insert(row))
        checks.push(async () => expect(await held(store, ids, kind, row)).toEqual(row))
      })
      expect(recordings.length).toBeGreaterThan(1)
      await expectOk(
        attempt(store, ids, (tx) => {
          for (const record of recordings) record(tx)
          return okAsync(null)
        }),
      )
      for (const check of checks) await check()
    }),
  )

  it(
    'names the topic of deliveries for a unit that adds one, and for no other',
    over(open, async (store) => {
      const ids = fakeIds()
      const topics: (readonly [string, readonly string[]])[] = []
      const visits: (() => Promise<void>)[] = []
      forEachKind((kind) => {
        visits.push(async () => {
          const [row, changed] = sample(alike(kind, 2)) as [never, never]
          for (const put of kind.isAppendOnly ? [row] : [row, changed]) {
            const { commit } = await expectOk(attempt(store, ids, (tx) => new ResultAsync(replace(tx, kind, put))))
            topics.push([kind.name, commit.topics])
          }
        })
      })
      for (const visit of visits) await visit()
      expect(topics.filter(([, raised]) => raised.length > 0)).toEqual([['deliveries', ['deliveries']]])
    }),
  )
}

function variant<Row, KeyName extends keyof Row>(kind: RowKind<Row, KeyName>, index: number): Row {
  return fc.sample(kind.rows, { numRuns: 1, seed: propertySeed() + index })[0] as Row
}
