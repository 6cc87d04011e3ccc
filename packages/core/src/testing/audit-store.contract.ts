import fc from 'fast-check'
import { ok, okAsync, type ResultAsync, safeTry } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import type { AuditFilter, AuditRecord } from '../audit/index.ts'
import { anyAuditAction, anyAuditHead, anyAuditRecord } from '../audit/testing/arbitraries.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { fakeRandom } from '../kernel/testing/fake-random.ts'
import { fakeSignals } from '../kernel/testing/fake-signals.ts'
import { over } from '../kernel/testing/harness.ts'
import { itHolds, propertySeed } from '../kernel/testing/property.ts'
import { unitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { expectOk, type OpenStore, type StoreHarness } from './store-units.ts'

/** Values that a collation, or a look for what is absent, might take for each other. */
const fewActors = ['issuer|shop', 'issuer|Shop', 'issuer|shop ', '192.0.2.7'] as const
const fewSubjects = ['api-key/1', 'api-key/1 ', 'api-key/2', ''] as const

const hour = 3_600_000
/** On both sides of the turn of an hour. */
const fewInstants = [0, 1, hour - 1, hour, 3 * hour].map((ms) => 1_767_225_600_000 + ms)

/** Recorded in any order: clocks of several instances differ. */
const anyRecords: fc.Arbitrary<readonly AuditRecord[]> = fc
  .array(
    fc
      .record({
        row: anyAuditRecord,
        gap: fc.integer({ min: 1, max: 3 }),
        actor: fc.constantFrom(...fewActors),
        subject: fc.option(fc.constantFrom(...fewSubjects)),
        recordedAt: fc.constantFrom(...fewInstants),
      })
      .map(({ row, gap, ...few }) => ({ ...row, ...few, number: gap })),
    { maxLength: 12 },
  )
  .map((rows) => {
    let number = 0
    return rows.map((row) => {
      number += row.number
      return { ...row, number }
    })
  })

const everything: AuditFilter = { action: null, actor: null, subject: null, from: null, to: null }

const anyFilter: fc.Arbitrary<AuditFilter> = fc.record({
  action: fc.option(anyAuditAction, { freq: 2 }),
  actor: fc.option(fc.constantFrom(...fewActors, 'nobody'), { freq: 2 }),
  subject: fc.option(fc.constantFrom(...fewSubjects), { freq: 2 }),
  from: fc.option(fc.constantFrom(...fewInstants), { freq: 2 }),
  to: fc.option(fc.constantFrom(...fewInstants), { freq: 2 }),
})

const anyLimit = fc.integer({ min: 1, max: 5 })

/** No unit of one store may have the id of another. */
const unitIds = fakeIds({ node: 10 })

/**
 * The laws of `AuditStore`.
 *
 * @param open a fresh, empty store each time
 */
export function auditStoreContract(open: OpenStore, numRuns = 20): void {
  describe('AuditStore', () => {
    edgeLaws(open)
    listLaws(open, numRuns)
    chainLaws(open, numRuns)
  })
}

function edgeLaws(open: OpenStore): void {
  it(
    'answers a new store with nothing',
    over(open, async ({ auditStore }) => {
      expect(await expectOk(auditStore.auditRecords(everything, null, 10))).toEqual([])
      expect(await expectOk(auditStore.auditRecordsAfter(0, 10))).toEqual([])
      expect(await expectOk(auditStore.auditHead())).toBeNull()
    }),
  )

  it(
    'ends at the first and at the last number',
    over(open, async (store) => {
      const [drawn] = fc.sample(anyAuditRecord, { numRuns: 1, seed: propertySeed() }) as [AuditRecord]
      const largest = Number.MAX_SAFE_INTEGER
      const [first, last] = [1, largest].map((number) => ({ ...drawn, number })) as [AuditRecord, AuditRecord]
      await insert(store, [first, last])
      expect(await expectOk(store.auditStore.auditRecords(everything, 1, 10))).toEqual([])
      expect(await expectOk(store.auditStore.auditRecords(everything, largest, 10))).toEqual([first])
      expect(await expectOk(store.auditStore.auditRecordsAfter(largest, 10))).toEqual([])
      expect(await expectOk(store.auditStore.auditRecordsAfter(largest - 1, 10))).toEqual([last])
    }),
  )
}

function listLaws(open: OpenStore, numRuns: number): void {
  itHolds(
    'lists what a filter selects, the newest first, page by page, as a naive model does',
    numRuns,
    fc.asyncProperty(anyRecords, fc.array(anyFilter, { minLength: 1, maxLength: 4 }), anyLimit, (records, filters, limit) =>
      over(open, async (store) => {
        await insert(store, records)
        // A filter drawn by itself seldom selects much; one that is taken from a record does.
        const found = records.slice(0, 2).map(({ action, actor, subject }) => ({ ...everything, action, actor, subject }))
        for (const filter of [everything, ...filters, ...found]) {
          expect(await allPages(store, filter, limit)).toEqual(records.filter((each) => isSelected(each, filter)).toReversed())
        }
      })(),
    ),
  )

  itHolds(
    'lists from any number on under a filter',
    numRuns,
    fc.asyncProperty(anyRecords, anyFilter, fc.integer({ min: 1, max: 40 }), anyLimit, (records, filter, before, limit) =>
      over(open, async (store) => {
        await insert(store, records)
        const older = records.filter((each) => each.number < before && isSelected(each, filter)).toReversed()
        expect(await expectOk(store.auditStore.auditRecords(filter, before, limit))).toEqual(older.slice(0, limit))
      })(),
    ),
  )
}

function chainLaws(open: OpenStore, numRuns: number): void {
  itHolds(
    'reads every record once by number, page by page',
    numRuns,
    fc.asyncProperty(anyRecords, anyLimit, (records, limit) =>
      over(open, async (store) => {
        await insert(store, records.toReversed())
        const read: AuditRecord[] = []
        for (let page: readonly AuditRecord[] | null = null; page === null || page.length > 0; ) {
          page = await expectOk(store.auditStore.auditRecordsAfter(read.at(-1)?.number ?? 0, limit))
          expect(page.length).toBeLessThanOrEqual(limit)
          read.push(...page)
        }
        expect(read).toEqual(records)
      })(),
    ),
  )

  itHolds(
    'shows the head as it was recorded, first and changed',
    numRuns,
    fc.asyncProperty(anyAuditHead, anyAuditHead, (first, changed) =>
      over(open, async (store) => {
        for (const head of [first, changed]) {
          await expectOk(store.transactions.attempt(unitIds.next(), (tx) => putHead(tx, head.number, head.mac)))
          expect(await expectOk(store.auditStore.auditHead())).toEqual(head)
        }
      })(),
    ),
  )

  it(
    'gives every record a number of its own, without gaps, to units that race for the head',
    over(open, async (store) => {
      const clock = { now: store.clock.now, sleep: async () => {} }
      const { run } = unitOfWork<Transaction>({ ...store, ids: unitIds, clock, random: fakeRandom(1), signals: fakeSignals() })
      const drawn = fc.sample(anyAuditRecord, { numRuns: 6, seed: propertySeed() })
      const numbers = await Promise.all(drawn.map(async (record) => (await expectOk(run((tx) => append(tx, record)))).value))
      expect(numbers.toSorted((left, right) => left - right)).toEqual([1, 2, 3, 4, 5, 6])
      expect(await expectOk(store.auditStore.auditHead())).toMatchObject({ number: 6 })
      const kept = await expectOk(store.auditStore.auditRecordsAfter(0, 10))
      expect(kept).toEqual([1, 2, 3, 4, 5, 6].map((number) => ({ ...drawn[numbers.indexOf(number)], number })))
    }),
  )
}

/** As records are appended: the head's row decides who is next. */
function append(tx: Transaction, record: AuditRecord): ResultAsync<number, StoreUnavailable> {
  return safeTry(async function* () {
    const head = yield* tx.auditHead.find({ id: 'head' })
    const number = (head?.number ?? 0) + 1
    tx.auditRecords.insert({ ...record, number })
    const next = { id: 'head', number, mac: record.mac } as const
    if (head === null) tx.auditHead.insert(next)
    else tx.auditHead.update(next)
    return ok(number)
  })
}

function putHead(tx: Transaction, number: number, mac: string): ResultAsync<null, StoreUnavailable> {
  return tx.auditHead.find({ id: 'head' }).map((found) => {
    if (found === null) tx.auditHead.insert({ id: 'head', number, mac })
    else tx.auditHead.update({ id: 'head', number, mac })
    return null
  })
}

function isSelected(record: AuditRecord, { action, actor, subject, from, to }: AuditFilter): boolean {
  const isOfWhom = (actor ?? record.actor) === record.actor && (subject === null || subject === record.subject)
  return isOfWhom && (action ?? record.action) === record.action && record.recordedAt >= (from ?? 0) && record.recordedAt < (to ?? Infinity)
}

async function allPages({ auditStore }: StoreHarness, filter: AuditFilter, limit: number): Promise<readonly AuditRecord[]> {
  const all: AuditRecord[] = []
  for (let before: number | null = null; ; ) {
    const page: readonly AuditRecord[] = await expectOk(auditStore.auditRecords(filter, before, limit))
    expect(page.length).toBeLessThanOrEqual(limit)
    all.push(...page)
    before = page.at(-1)?.number ?? null
    if (before === null) return all
  }
}

async function insert({ transactions }: StoreHarness, records: readonly AuditRecord[]): Promise<void> {
  await expectOk(
    transactions.attempt<null, never>(unitIds.next(), (tx) => {
      for (const record of records) tx.auditRecords.insert(record)
      return okAsync(null)
    }),
  )
}
