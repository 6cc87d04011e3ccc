import fc from 'fast-check'
import { okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import { anyInstant } from '../kernel/testing/arbitraries.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { over } from '../kernel/testing/harness.ts'
import { itHolds } from '../kernel/testing/property.ts'
import type { Discrepancy, HistoryEntry, IdempotencyRecord, Payment, PaymentFilter } from '../payments/index.ts'
import { anyDiscrepancy, anyHistoryEntry, anyIdempotencyRecord, anyPayment, anyPaymentStatus } from '../payments/testing/arbitraries.ts'
import { expectOk, type OpenStore, type StoreHarness } from './store-units.ts'

/**
 * The laws of `PaymentStore`, written to through `Transactions`.
 *
 * @param open a fresh, empty store each time
 */
export function paymentStoreContract(open: OpenStore, numRuns = 30): void {
  describe('PaymentStore', () => {
    emptyContract(open)
    listContract(open, numRuns)
    trailContract(open, numRuns)
    checkContract(open, numRuns)
    keysContract(open, numRuns)
  })
}

const [sample, other] = fc.sample(anyPayment, { numRuns: 2, seed: 7 }) as [Payment, Payment]

type Rows = Readonly<{
  payments?: readonly Payment[]
  history?: readonly HistoryEntry[]
  discrepancies?: readonly Discrepancy[]
  keys?: readonly IdempotencyRecord[]
}>

async function insert({ transactions }: StoreHarness, { payments = [], history = [], discrepancies = [], keys = [] }: Rows): Promise<void> {
  const written = transactions.attempt<null, never>(ids.next(), (tx) => {
    for (const row of payments) tx.payments.insert(row)
    for (const row of history) tx.paymentHistory.insert(row)
    for (const row of discrepancies) tx.discrepancies.insert(row)
    for (const row of keys) tx.idempotencyKeys.insert(row)
    return okAsync(null)
  })
  await expectOk(written)
}

const ids = fakeIds()

function emptyContract(open: OpenStore): void {
  it(
    'answers a new store with nothing',
    over(open, async ({ paymentStore, clock }) => {
      expect(await expectOk(paymentStore.payment(sample.id))).toBeNull()
      expect(await expectOk(paymentStore.payments(everyPayment, null, 10))).toEqual([])
      expect(await expectOk(paymentStore.history(sample.id, 0, 10))).toEqual([])
      expect(await expectOk(paymentStore.discrepancies(sample.id))).toEqual([])
      expect(await expectOk(paymentStore.dueForCheck(clock.now(), 10))).toEqual([])
      expect(await expectOk(paymentStore.totals())).toEqual({ byStatus: {}, openDiscrepancies: 0 })
      expect(await expectOk(paymentStore.dropExpiredKeys(clock.now(), 10))).toBe(0)
    }),
  )
}

const everyPayment: PaymentFilter = { client: null, status: null, userId: null, from: null, to: null }
/** Values that a collation might take for each other. */
const fewClients = ['a', 'A', 'b'] as const
const fewUsers = ['u', 'é', 'e\u0301'] as const
const fewInstants = [1000, 2000, 3000].map((ms) => 1_767_225_600_000 + ms)

const anyFewPayments: fc.Arbitrary<readonly Payment[]> = fc.uniqueArray(
  fc
    .record({
      row: anyPayment,
      client: fc.constantFrom(...fewClients),
      userId: fc.constantFrom(...fewUsers),
      createdAt: fc.constantFrom(...fewInstants),
    })
    .map(({ row, ...few }) => ({ ...row, ...few })),
  { maxLength: 12, selector: ({ id }) => id },
)

const anyFilter: fc.Arbitrary<PaymentFilter> = fc.record({
  client: fc.option(fc.constantFrom(...fewClients)),
  status: fc.option(anyPaymentStatus, { freq: 2 }),
  userId: fc.option(fc.constantFrom(...fewUsers), { freq: 2 }),
  from: fc.option(fc.constantFrom(...fewInstants), { freq: 2 }),
  to: fc.option(fc.constantFrom(...fewInstants), { freq: 2 }),
})

function isSelected(payment: Payment, { client, status, userId, from, to }: PaymentFilter): boolean {
  const isOfWhom = (client ?? payment.client) === payment.client && (userId ?? payment.userId) === payment.userId
  return (
    isOfWhom && (status ?? payment.status) === payment.status && payment.createdAt >= (from ?? 0) && payment.createdAt < (to ?? Infinity)
  )
}

function listContract(open: OpenStore, numRuns: number): void {
  itHolds(
    'lists what a filter selects, the newest first, page by page, as a naive model does',
    numRuns,
    fc.asyncProperty(
      anyFewPayments,
      fc.array(anyFilter, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      (payments, filters, limit) =>
        over(open, async (store) => {
          await insert(store, { payments })
          for (const filter of [everyPayment, ...filters]) {
            const expected = payments.filter((each) => isSelected(each, filter)).toSorted((left, right) => (left.id > right.id ? -1 : 1))
            expect(await allPages(store, filter, limit)).toEqual(expected)
          }
        })(),
    ),
  )

  itHolds(
    'counts payments by status, and the discrepancies that are open',
    numRuns,
    fc.asyncProperty(anyFewPayments, anyFewDiscrepancies, (payments, discrepancies) =>
      over(open, async (store) => {
        await insert(store, { payments, discrepancies })
        const byStatus = Object.fromEntries([...Map.groupBy(payments, ({ status }) => status)].map(([status, all]) => [status, all.length]))
        const openDiscrepancies = discrepancies.filter(({ resolvedAt }) => resolvedAt === null).length
        expect(await expectOk(store.paymentStore.totals())).toEqual({ byStatus, openDiscrepancies })
      })(),
    ),
  )
}

async function allPages({ paymentStore }: StoreHarness, filter: PaymentFilter, limit: number): Promise<readonly Payment[]> {
  const all: Payment[] = []
  for (let before: Uuid | null = null; ; ) {
    const rows: readonly Payment[] = await expectOk(paymentStore.payments(filter, before, limit))
    expect(rows.length).toBeLessThanOrEqual(limit)
    all.push(...rows)
    before = rows.at(-1)?.id ?? null
    if (before === null) return all
  }
}

const anyFewDiscrepancies: fc.Arbitrary<readonly Discrepancy[]> = fc.uniqueArray(
  fc.tuple(anyDiscrepancy, fc.constantFrom(sample.id, other.id)).map(([row, paymentId]) => ({ ...row, paymentId })),
  { maxLength: 6, selector: ({ paymentId, kind }) => `${paymentId} ${kind}` },
)

function trailContract(open: OpenStore, numRuns: number): void {
  itHolds(
    'reads the history of one payment by number, page by page',
    numRuns,
    fc.asyncProperty(fc.array(anyHistoryEntry, { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), (drawn, limit) =>
      over(open, async (store) => {
        const own = drawn.map((entry, index) => ({ ...entry, paymentId: sample.id, number: index + 1 }))
        await insert(store, { history: [...own.toReversed(), ...own.map((entry) => ({ ...entry, paymentId: other.id }))] })
        const read: HistoryEntry[] = []
        for (let rows: readonly HistoryEntry[] | null = null; rows === null || rows.length > 0; ) {
          rows = await expectOk(store.paymentStore.history(sample.id, read.length, limit))
          expect(rows.length).toBeLessThanOrEqual(limit)
          read.push(...rows)
        }
        expect(read).toEqual(own)
      })(),
    ),
  )

  itHolds(
    'reads the discrepancies of one payment by kind, resolved ones included',
    numRuns,
    fc.asyncProperty(anyFewDiscrepancies, (discrepancies) =>
      over(open, async (store) => {
        await insert(store, { discrepancies })
        const own = discrepancies.filter(({ paymentId }) => paymentId === sample.id)
        const byKind = own.toSorted((left, right) => (left.kind < right.kind ? -1 : 1))
        expect(await expectOk(store.paymentStore.discrepancies(sample.id))).toEqual(byKind)
      })(),
    ),
  )
}

function checkContract(open: OpenStore, numRuns: number): void {
  itHolds(
    'finds the payments whose check has come, the earliest first',
    numRuns,
    fc.asyncProperty(anyFewPayments, fc.constantFrom(...fewInstants), fc.integer({ min: 1, max: 12 }), (drawn, now, limit) =>
      over(open, async (store) => {
        const payments = drawn.map((each, index) => ({ ...each, checkAt: [null, ...fewInstants][index % 4] ?? null }))
        await insert(store, { payments })
        const due = payments
          .flatMap(({ checkAt }) => (checkAt !== null && checkAt <= now ? [checkAt] : []))
          .toSorted((left, right) => left - right)
        const found = await expectOk(store.paymentStore.dueForCheck(now, limit))
        expect(new Set(found).size).toBe(found.length)
        expect(found.map((id) => payments.find((each) => each.id === id)?.checkAt)).toEqual(due.slice(0, limit))
      })(),
    ),
  )
}

function keysContract(open: OpenStore, numRuns: number): void {
  const anyKeys = fc.uniqueArray(anyIdempotencyRecord, {
    maxLength: 8,
    selector: ({ client, operation, key }) => JSON.stringify([client, operation, key]),
  })
  itHolds(
    'drops expired keys, so many at a time, and no other',
    numRuns,
    fc.asyncProperty(anyKeys, anyInstant, fc.integer({ min: 1, max: 4 }), (drawn, now, limit) =>
      over(open, async (store) => {
        const keys = drawn.map((each, index) => ({ ...each, expiresAt: now + (index % 3) - 1 }))
        await insert(store, { keys })
        const expired = keys.filter(({ expiresAt }) => expiresAt <= now).length
        let dropped = 0
        for (let last = limit; last === limit; dropped += last) {
          last = await expectOk(store.paymentStore.dropExpiredKeys(now, limit))
          expect(last).toBeLessThanOrEqual(limit)
        }
        expect(dropped).toBe(expired)
        for (const key of keys) {
          const found = store.transactions.attempt<IdempotencyRecord | null, StoreUnavailable>(ids.next(), (tx) =>
            tx.idempotencyKeys.find(key),
          )
          expect((await expectOk(found)).value).toEqual(key.expiresAt <= now ? null : key)
        }
      })(),
    ),
  )
}
