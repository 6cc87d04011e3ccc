import type { Lane, Transaction } from '@cbp/core'
import { fakeIds } from '@cbp/core/testing'
import { expect, it } from 'vitest'
import { delivery, idAt, recording, subscription } from '../../tests/sample-records.ts'
import { type Opened, withStore } from '../../tests/temporary-store.ts'

const nobody = { client: null, subscriptionId: null, status: null }

function withRecords(record: (tx: Transaction) => void, test: (opened: Opened) => Promise<void>): () => Promise<void> {
  return withStore(async (opened) => {
    const written = await opened.store.transactions.attempt(fakeIds().next(), recording(record))
    written._unsafeUnwrap()
    await test(opened)
  })
}

function lane(ms: number, changes: Partial<Lane>): Lane {
  const quiet = { failures: 0, failingSince: null, pausedUntil: null }
  return { subscriptionId: idAt(ms), dueAt: ms, fence: 1, leasedUntil: null, ...quiet, ...changes }
}

it(
  'offers lanes that are due and leased to nobody, the earliest first',
  withRecords(
    (tx) => {
      const lanes = [
        lane(3, {}),
        lane(1, {}),
        lane(2, { leasedUntil: 11 }),
        lane(4, { leasedUntil: 10 }),
        lane(5, { dueAt: 11 }),
        lane(6, { dueAt: null }),
      ]
      for (const each of lanes) tx.lanes.insert(each)
    },
    async ({ store }) => {
      const due = (await store.webhookStore.dueLanes(10, 5))._unsafeUnwrap()
      expect(due.map(({ subscriptionId }) => subscriptionId)).toEqual([idAt(1), idAt(3), idAt(4)])
    },
  ),
)

it(
  'lists deliveries newest first under every filter, and tells the backlog',
  withRecords(
    (tx) => {
      tx.deliveries.insert(delivery({ id: idAt(1), dueAt: 7 }))
      tx.deliveries.insert(delivery({ id: idAt(2), status: 'delivered', dueAt: null }))
      tx.deliveries.insert(delivery({ id: idAt(3), client: 'other', subscriptionId: idAt(9), dueAt: 5 }))
      tx.subscriptions.insert(subscription({ status: 'disabled' }))
    },
    async ({ store: { webhookStore } }) => {
      const list = async (filter: object, before: number | null = null) =>
        (await webhookStore.deliveries({ ...nobody, ...filter }, before === null ? null : idAt(before), 9))
          ._unsafeUnwrap()
          .map(({ id }) => id)
      expect(await list({})).toEqual([idAt(3), idAt(2), idAt(1)])
      expect(await list({}, 3)).toEqual([idAt(2), idAt(1)])
      expect(await list({ client: 'client' })).toEqual([idAt(2), idAt(1)])
      expect(await list({ status: 'pending' })).toEqual([idAt(3), idAt(1)])
      expect(await list({ subscriptionId: idAt(1), client: 'client', status: 'pending' })).toEqual([idAt(1)])
      expect(await list({ subscriptionId: idAt(1), client: 'other' })).toEqual([])
      expect((await webhookStore.dueDeliveries(idAt(1), 7, 9))._unsafeUnwrap()).toEqual([delivery({ id: idAt(1), dueAt: 7 })])
      expect((await webhookStore.backlog())._unsafeUnwrap()).toEqual({ pending: 2, oldestDueAt: 5, disabledSubscriptions: 1 })
    },
  ),
)

it(
  'lists subscriptions newest first, without deleted ones',
  withRecords(
    (tx) => {
      tx.subscriptions.insert(subscription({ id: idAt(1) }))
      tx.subscriptions.insert(subscription({ id: idAt(2), status: 'deleted' }))
      tx.subscriptions.insert(subscription({ id: idAt(3), status: 'disabled' }))
      tx.subscriptions.insert(subscription({ id: idAt(4), client: 'other' }))
    },
    async ({ store: { webhookStore } }) => {
      const list = async (client: string | null) => (await webhookStore.subscriptions(client, null, 9))._unsafeUnwrap().map(({ id }) => id)
      expect([await list('client'), await list(null)]).toEqual([
        [idAt(3), idAt(1)],
        [idAt(4), idAt(3), idAt(1)],
      ])
    },
  ),
)
