import type { Payment, PaymentFilter, PaymentStatus } from '@cbp/core'
import { fakeIds } from '@cbp/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { idAt, idempotencyKey, payment, receivedWebhook, recording } from '../../tests/sample-records.ts'
import { withParts } from '../../tests/store-parts.ts'
import { withStore } from '../../tests/temporary-store.ts'

const hourMs = 3_600_000
const statuses = ['PENDING', 'COMPLETED', 'FAILED', 'REVERSED'] as const satisfies readonly PaymentStatus[]

/** Ids that mostly, not always, rise with the time of creation. */
const anyPayments: fc.Arbitrary<readonly Payment[]> = fc
  .array(
    fc.record({
      client: fc.constantFrom('a', 'b'),
      status: fc.constantFrom(...statuses),
      userId: fc.constantFrom('u', 'v'),
      createdAt: fc.integer({ min: 0, max: 5 * hourMs }),
      skew: fc.constantFrom(0, 0, 0, hourMs, 3 * hourMs),
    }),
    { maxLength: 30 },
  )
  .map((drawn) => drawn.map(({ skew, ...each }, index) => payment({ ...each, id: idAt(each.createdAt + skew, index) })))

function orNull<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { nil: null })
}

const anyFilter: fc.Arbitrary<PaymentFilter> = fc.record({
  client: orNull(fc.constantFrom('a', 'b')),
  status: orNull(fc.constantFrom(...statuses)),
  userId: orNull(fc.constantFrom('u', 'v')),
  from: orNull(fc.integer({ min: 0, max: 5 * hourMs })),
  to: orNull(fc.integer({ min: 0, max: 5 * hourMs })),
})

function selected(payments: readonly Payment[], { client, status, userId, from, to }: PaymentFilter): readonly Payment[] {
  return payments
    .filter((each) => client === null || each.client === client)
    .filter((each) => status === null || each.status === status)
    .filter((each) => userId === null || each.userId === userId)
    .filter((each) => (from === null || each.createdAt >= from) && (to === null || each.createdAt < to))
    .toSorted((left, right) => (left.id < right.id ? 1 : -1))
}

describe('payments', () => {
  it('are listed like in a naive model, page by page, under any filter', async () => {
    await fc.assert(
      fc.asyncProperty(anyPayments, anyFilter, fc.integer({ min: 1, max: 7 }), async (payments, filter, limit) => {
        await withStore(async ({ store }) => {
          await store.transactions.attempt(
            fakeIds().next(),
            recording((tx) => {
              for (const each of payments) tx.payments.insert(each)
            }),
          )
          const listed: Payment[] = []
          for (;;) {
            const page = (await store.paymentStore.payments(filter, listed.at(-1)?.id ?? null, limit))._unsafeUnwrap()
            listed.push(...page)
            if (page.length < limit) break
          }
          expect(listed).toEqual(selected(payments, filter))
        })()
      }),
      { numRuns: 60 },
    )
  }, 60_000)

  it(
    'are counted by status, whatever becomes of them, their batch, and the process',
    withParts(async ({ transactions, writer }) => {
      const ids = fakeIds()
      const write = (each: Payment, op: 'insert' | 'update') =>
        transactions.attempt(
          ids.next(),
          recording((tx) => tx.payments[op](each)),
        )
      await Promise.all([write(payment({ id: idAt(1) }), 'insert'), write(payment({ id: idAt(2) }), 'insert')])
      await write(payment({ id: idAt(1), status: 'COMPLETED' }), 'update')
      writer.exec(`CREATE TEMP TRIGGER refusal BEFORE INSERT ON payments BEGIN SELECT RAISE(ABORT, 'no'); END`)
      await expect(write(payment({ id: idAt(3) }), 'insert')).rejects.toThrow('no')
      writer.exec('DROP TRIGGER refusal')
      await write(payment({ id: idAt(2), amount: 5 }), 'update')
      const totals = writer.all({ sql: 'SELECT status, payments FROM payment_totals ORDER BY status', parameters: {} })
      expect(totals).toEqual([
        { status: 'COMPLETED', payments: 1 },
        { status: 'PENDING', payments: 1 },
      ])
    }),
  )

  it(
    'that moved in time are found there',
    withStore(async ({ store }) => {
      const ids = fakeIds()
      const write = (each: Payment, op: 'insert' | 'update') =>
        store.transactions.attempt(
          ids.next(),
          recording((tx) => tx.payments[op](each)),
        )
      await write(payment(), 'insert')
      await write(payment({ createdAt: 9 * hourMs }), 'update')
      const filter = { client: null, status: null, userId: null, from: 8 * hourMs, to: null }
      expect((await store.paymentStore.payments(filter, null, 10))._unsafeUnwrap()).toHaveLength(1)
    }),
  )

  it(
    'are due for a check in the order of their time',
    withStore(async ({ store }) => {
      const checks = [30, 10, null, 20, 40]
      await store.transactions.attempt(
        fakeIds().next(),
        recording((tx) => {
          for (const [index, checkAt] of checks.entries()) tx.payments.insert(payment({ id: idAt(index), checkAt }))
        }),
      )
      expect((await store.paymentStore.dueForCheck(30, 2))._unsafeUnwrap()).toEqual([idAt(1), idAt(3)])
    }),
  )
})

describe('what has expired', () => {
  it(
    'is dropped over several batches, at most as much as asked for',
    withStore(async ({ store }) => {
      const count = 1200
      await store.transactions.attempt(
        fakeIds().next(),
        recording((tx) => {
          for (let index = 0; index < count; index += 1) {
            tx.idempotencyKeys.insert({ ...idempotencyKey, key: `key ${index}`, expiresAt: index })
            tx.receivedWebhooks.insert({ ...receivedWebhook, id: `msg_${index}`, expiresAt: index })
          }
        }),
      )
      const dropKeys = async (now: number, limit: number) => (await store.paymentStore.dropExpiredKeys(now, limit))._unsafeUnwrap()
      const dropIds = async (now: number, limit: number) => (await store.webhookStore.dropExpiredIds(now, limit))._unsafeUnwrap()
      for (const drop of [dropKeys, dropIds]) {
        expect([await drop(999, 700), await drop(999, 700), await drop(999, 700)]).toEqual([700, 300, 0])
      }
    }),
  )
})
