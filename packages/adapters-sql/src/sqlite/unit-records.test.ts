import { DatabaseSync } from 'node:sqlite'
import type { Payment, Transaction } from '@cbp/core'
import { fakeIds } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import { delivery, idAt, payment, recording, subscription } from '../../tests/sample-records.ts'
import { withParts } from '../../tests/store-parts.ts'
import { withStore } from '../../tests/temporary-store.ts'

describe('a unit with records', () => {
  it(
    'is contended when it inserts what it has found',
    withStore(async ({ store }) => {
      const ids = fakeIds()
      await store.transactions.attempt(
        ids.next(),
        recording((tx) => tx.payments.insert(payment())),
      )
      const again = await store.transactions.attempt(ids.next(), (tx) =>
        tx.payments.find({ id: idAt(1) }).map(() => tx.payments.insert(payment())),
      )
      expect(again._unsafeUnwrapErr()).toMatchObject({ kind: 'contended', reason: expect.stringContaining('payment') })
    }),
  )

  it(
    'tells keys apart whose parts run into each other',
    withStore(async ({ store }) => {
      const ids = fakeIds()
      const keys = [
        { client: 'a b', reference: 'c' },
        { client: 'a', reference: 'b c' },
        { client: 'a","b', reference: 'c' },
      ]
      await store.transactions.attempt(
        ids.next(),
        recording((tx) => {
          for (const key of keys) tx.paymentReferences.insert({ ...key, paymentId: idAt(1) })
        }),
      )
      const found = await store.transactions.attempt(ids.next(), (tx) => tx.paymentReferences.find({ client: 'a', reference: 'b c' }))
      expect(found._unsafeUnwrap().value).toMatchObject({ client: 'a', reference: 'b c' })
    }),
  )

  it(
    'wakes the senders of webhooks only when it adds a delivery',
    withStore(async ({ store }) => {
      const ids = fakeIds()
      const added = await store.transactions.attempt(
        ids.next(),
        recording((tx) => tx.deliveries.insert(delivery())),
      )
      const changed = await store.transactions.attempt(
        ids.next(),
        recording((tx) => tx.deliveries.update(delivery({ status: 'delivered', dueAt: null }))),
      )
      expect([added._unsafeUnwrap().commit.topics, changed._unsafeUnwrap().commit.topics]).toEqual([['deliveries'], []])
    }),
  )

  it(
    'records no more once it has ended',
    withStore(async ({ store }) => {
      let late: Transaction | null = null
      await store.transactions.attempt(
        fakeIds().next(),
        recording((tx) => {
          late = tx
        }),
      )
      expect(() => (late as Transaction | null)?.payments.insert(payment())).toThrow('has ended')
    }),
  )
})

const badPayments: readonly (readonly [string, Record<string, unknown>])[] = [
  ['half a minor unit', { amount: 0.5 }],
  ['an amount beyond 2^53', { amount: 2 ** 53 }],
  ['an amount that is no number', { amount: Number.NaN }],
  ['a BigInt', { amount: 1n }],
  ['a status that is none', { status: 'LOST' }],
  ['no user', { userId: undefined }],
  ['no reference, nor null', { reference: undefined }],
  ['a payee with a BigInt', { payee: { id: 1n } }],
  ['no metadata', { metadata: undefined }],
  ['an attempt at no instant', { attempt: { id: idAt(9), startedAt: undefined, notAfter: 1 } }],
]

describe('a record that its table cannot hold leaves nothing, and its caller alone hears of it', () => {
  it.each(badPayments)('%s', (_, bad) =>
    withParts(async ({ transactions, writer }) => {
      const ids = fakeIds()
      const insert = (each: Payment) => recording((tx) => tx.payments.insert(each))
      const [before, failed, after] = await Promise.allSettled([
        transactions.attempt(ids.next(), insert(payment({ id: idAt(1) }))),
        transactions.attempt(ids.next(), insert(payment({ id: idAt(2), ...bad } as Partial<Payment>))),
        transactions.attempt(ids.next(), insert(payment({ id: idAt(3) }))),
      ])
      expect(failed).toMatchObject({ status: 'rejected', reason: expect.any(TypeError) })
      expect([before, after]).toMatchObject([{ value: { value: {} } }, { value: { value: {} } }])
      const counts = 'SELECT (SELECT COUNT(*) FROM payments) AS payments, (SELECT SUM(payments) FROM payment_totals) AS total'
      expect(writer.all({ sql: counts, parameters: {} })).toEqual([{ payments: 2, total: 2 }])
    })(),
  )
})

describe('a stored row that is damaged', () => {
  it.each([
    ['text that is not JSON', "UPDATE payments SET metadata = '{'", `payment ${idAt(1)} is damaged`],
    ['a number beyond 2^53', 'UPDATE payments SET amount = 9007199254740993', 'number'],
  ])('is named, for a unit and for a reader: %s', (_, damage, reason) =>
    withStore(async ({ store, path }) => {
      const ids = fakeIds()
      await store.transactions.attempt(
        ids.next(),
        recording((tx) => tx.payments.insert(payment())),
      )
      spoil(path, damage)
      const inUnit = await store.transactions.attempt(ids.next(), (tx) => tx.payments.find({ id: idAt(1) }))
      const outside = await store.paymentStore.payment(idAt(1))
      for (const refused of [inUnit, outside]) {
        expect(refused._unsafeUnwrapErr()).toMatchObject({ kind: 'store-unavailable', reason: expect.stringContaining(reason) })
      }
    })(),
  )
})

describe('subscribers', () => {
  const all = { allClients: true, system: false }
  const system = { allClients: false, system: true }

  it.each([
    ['a payment are those of its client and those that hear all', idAt(9), [1, 3]],
    ['the system are those that hear it', null, [4]],
  ])('of %s, while they are active', (_, paymentId, expected) =>
    withStore(async ({ store }) => {
      const ids = fakeIds()
      const subscriptions = [
        subscription({ id: idAt(1) }),
        subscription({ id: idAt(2), client: 'other' }),
        subscription({ id: idAt(3), client: 'other', reach: all }),
        subscription({ id: idAt(4), client: 'other', reach: system }),
        subscription({ id: idAt(5), status: 'disabled', reach: { allClients: true, system: true } }),
      ]
      await store.transactions.attempt(
        ids.next(),
        recording((tx) => {
          for (const each of subscriptions) tx.subscriptions.insert(each)
          tx.payments.insert(payment({ id: idAt(9) }))
        }),
      )
      const found = await store.transactions.attempt(ids.next(), (tx) => tx.subscribers({ paymentId }))
      expect(found._unsafeUnwrap().value.map(({ id }) => id)).toEqual(expected.map((ms) => idAt(ms)))
    })(),
  )

  it(
    'have their pending deliveries by the time they are due',
    withStore(async ({ store }) => {
      const ids = fakeIds()
      const due = [30, 10, 20]
      await store.transactions.attempt(
        ids.next(),
        recording((tx) => {
          for (const dueAt of due) tx.deliveries.insert(delivery({ id: idAt(dueAt), dueAt }))
          tx.deliveries.insert(delivery({ id: idAt(5), dueAt: null, status: 'delivered' }))
        }),
      )
      const seen = await store.transactions.attempt(ids.next(), (tx) =>
        tx
          .pendingDeliveries(idAt(1), 2)
          .andThen((pending) => tx.nextDue(idAt(1)).map((next) => [next, ...pending.map(({ dueAt }) => dueAt)])),
      )
      expect(seen._unsafeUnwrap().value).toEqual([10, 10, 20])
    }),
  )
})

function spoil(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}
