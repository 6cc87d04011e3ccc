import fc from 'fast-check'
import { ok, okAsync, type ResultAsync, safeTry } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import type { StoreUnavailable } from '../kernel/failures.ts'
import { anyInstant, anyUuid } from '../kernel/testing/arbitraries.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { over } from '../kernel/testing/harness.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { anyPayment } from '../payments/testing/arbitraries.ts'
import type { Transaction } from '../transaction.ts'
import type { DeliveryStatus, Lane, ReceivedWebhook, Subscription, WebhookDelivery } from '../webhooks/index.ts'
import { anyDeliveryOf, anyLaneOf, anyReceivedWebhook, anySubscription, anyWebhookClient } from '../webhooks/testing/arbitraries.ts'
import { expectOk, type OpenStore, type StoreHarness } from './store-units.ts'

/** All that one test puts into a store. */
type Rows = Readonly<{
  subscriptions: readonly Subscription[]
  lanes: readonly Lane[]
  deliveries: readonly WebhookDelivery[]
  received: readonly ReceivedWebhook[]
}>

const anyRows: fc.Arbitrary<Rows> = fc
  .uniqueArray(anySubscription, { minLength: 1, maxLength: 5, selector: ({ id }) => id })
  .chain((subscriptions) =>
    fc.record({
      subscriptions: fc.constant(subscriptions),
      lanes: fc.tuple(...subscriptions.map(anyLaneOf)),
      deliveries: fc.uniqueArray(fc.oneof(...subscriptions.map(anyDeliveryOf)), { maxLength: 12, selector: ({ id }) => id }),
      received: fc.uniqueArray(anyReceivedWebhook, { maxLength: 6, selector: ({ id }) => id }),
    }),
  )

/** No unit of one store may have the id of another. */
const unitIds = fakeIds({ node: 7 })

const anyLimit = fc.integer({ min: 1, max: 20 })
const statuses: readonly (DeliveryStatus | null)[] = [null, 'pending', 'delivered', 'exhausted', 'cancelled']

/** The laws of `WebhookStore` and of the webhook records of a unit, over one store. */
export function webhookStoreContract(open: OpenStore, numRuns: number): void {
  describe('WebhookStore', () => {
    recordLaws(open, numRuns)
    listLaws(open, numRuns)
    dueLaws(open, numRuns)
    raceLaws(open)
  })
}

function recordLaws(open: OpenStore, numRuns: number): void {
  itHolds(
    'keeps every row as it was recorded, first and changed',
    numRuns,
    fc.asyncProperty(anyRows, anyRows, (rows, others) =>
      over(open, async (store) => {
        await insertAll(store, rows)
        await expectRows(store, rows)
        const changed = replaced(rows, others)
        await updateAll(store, changed)
        await expectRows(store, changed)
      })(),
    ),
  )

  it(
    'answers null for what it does not hold',
    over(open, async ({ webhookStore }) => {
      const id = fakeIds().next()
      expect([await expectOk(webhookStore.subscription(id)), await expectOk(webhookStore.delivery(id))]).toEqual([null, null])
      expect(await expectOk(webhookStore.backlog())).toEqual({ pending: 0, oldestDueAt: null, disabledSubscriptions: 0 })
    }),
  )
}

function listLaws(open: OpenStore, numRuns: number): void {
  itHolds(
    'lists subscriptions and deliveries of a client, the newest first, without deleted subscriptions',
    numRuns,
    fc.asyncProperty(anyRows, fc.option(anyWebhookClient), fc.option(anyUuid), anyLimit, (rows, client, before, limit) =>
      over(open, async (store) => {
        await insertAll(store, rows)
        const { webhookStore } = store
        const own = rows.subscriptions.filter((each) => each.status !== 'deleted' && (client === null || each.client === client))
        expect(await expectOk(webhookStore.subscriptions(client, before, limit))).toEqual(newest(own, before, limit))
        const [subscription] = rows.subscriptions
        for (const subscriptionId of [null, subscription?.id ?? null]) {
          for (const status of statuses) {
            const matching = rows.deliveries.filter(
              (each) =>
                (client === null || each.client === client) &&
                (subscriptionId === null || each.subscriptionId === subscriptionId) &&
                (status === null || each.status === status),
            )
            const listed = await expectOk(webhookStore.deliveries({ client, subscriptionId, status }, before, limit))
            expect(listed).toEqual(newest(matching, before, limit))
          }
        }
      })(),
    ),
  )

  itHolds(
    'finds the subscribers of a client and of the system, active ones only',
    numRuns,
    fc.asyncProperty(anyRows, fc.option(fc.record({ payment: anyPayment, client: anyWebhookClient })), (rows, given) =>
      over(open, async (store) => {
        await insertAll(store, rows)
        const payment = given && { ...given.payment, client: given.client }
        if (payment !== null) await inUnit(store, (tx) => okAsync(tx.payments.insert(payment)))
        const concerned = rows.subscriptions.filter(({ status, reach, client: owner }) => {
          if (status !== 'active') return false
          return payment === null ? reach.system : reach.allClients || owner === payment.client
        })
        const found = await inUnit(store, (tx) => tx.subscribers({ paymentId: payment?.id ?? null }))
        expect(found).toEqual([...concerned].sort(byId))
      })(),
    ),
  )

  itHolds(
    'counts what is pending and what is disabled',
    numRuns,
    fc.asyncProperty(anyRows, (rows) =>
      over(open, async (store) => {
        await insertAll(store, rows)
        const due = rows.deliveries.flatMap(({ dueAt }) => dueAt ?? [])
        expect(await expectOk(store.webhookStore.backlog())).toEqual({
          pending: due.length,
          oldestDueAt: due.length === 0 ? null : Math.min(...due),
          disabledSubscriptions: rows.subscriptions.filter(({ status }) => status === 'disabled').length,
        })
      })(),
    ),
  )
}

function dueLaws(open: OpenStore, numRuns: number): void {
  itHolds(
    'finds lanes that are due and free, the earliest first',
    numRuns,
    fc.asyncProperty(anyRows, anyInstant, anyLimit, (rows, now, limit) =>
      over(open, async (store) => {
        await insertAll(store, rows)
        const due = rows.lanes.filter(
          ({ dueAt, leasedUntil }) => dueAt !== null && dueAt <= now && (leasedUntil === null || leasedUntil <= now),
        )
        const found = await expectOk(store.webhookStore.dueLanes(now, limit))
        expectEarliest(found, due, limit)
      })(),
    ),
  )

  itHolds(
    'finds what is pending and due of one subscription, inside of units and outside, the earliest first',
    numRuns,
    fc.asyncProperty(anyRows, anyInstant, anyLimit, (rows, now, limit) =>
      over(open, async (store) => {
        await insertAll(store, rows)
        for (const { id } of rows.subscriptions) {
          const pending = rows.deliveries.filter(({ subscriptionId, status }) => subscriptionId === id && status === 'pending')
          const due = pending.filter(({ dueAt }) => dueAt !== null && dueAt <= now)
          expectEarliest(await expectOk(store.webhookStore.dueDeliveries(id, now, limit)), due, limit)
          expectEarliest(await inUnit(store, (tx) => tx.pendingDeliveries(id, limit)), pending, limit)
          const instants = pending.flatMap(({ dueAt }) => dueAt ?? [])
          expect(await inUnit(store, (tx) => tx.nextDue(id))).toBe(instants.length === 0 ? null : Math.min(...instants))
        }
      })(),
    ),
  )

  itHolds(
    'removes received ids that have expired, so many at a time, and no others',
    numRuns,
    fc.asyncProperty(anyRows, anyInstant, anyLimit, (rows, now, limit) =>
      over(open, async (store) => {
        await insertAll(store, rows)
        const expired = rows.received.filter(({ expiresAt }) => expiresAt <= now).length
        let left = expired
        while (left > 0) {
          expect(await expectOk(store.webhookStore.dropExpiredIds(now, limit))).toBe(Math.min(limit, left))
          left -= Math.min(limit, left)
        }
        expect(await expectOk(store.webhookStore.dropExpiredIds(now, limit))).toBe(0)
        for (const each of rows.received) {
          const found = await inUnit(store, (tx) => tx.receivedWebhooks.find({ id: each.id }))
          expect(found).toEqual(each.expiresAt <= now ? null : each)
        }
      })(),
    ),
  )
}

const lane: Omit<Lane, 'subscriptionId'> = { dueAt: 0, fence: 0, leasedUntil: null, failures: 0, failingSince: null, pausedUntil: null }

function raceLaws(open: OpenStore): void {
  it(
    'L16: of racing units that insert one received id exactly one commits',
    over(open, async (store) => {
      const ids = fakeIds()
      const row = { id: 'msg_1', receivedAt: 1, expiresAt: 2 }
      const attempts = Array.from({ length: 8 }, async () =>
        store.transactions.attempt(ids.next(), (tx) =>
          tx.receivedWebhooks.find(row).map((found) => {
            if (found === null) tx.receivedWebhooks.insert(row)
            return found
          }),
        ),
      )
      const outcomes = await Promise.all(attempts)
      expect(outcomes.filter((outcome) => outcome.isOk() && outcome.value.value === null)).toHaveLength(1)
      const others = outcomes.filter((outcome) => outcome.isOk() && outcome.value.value !== null).length
      const contended = outcomes.filter((outcome) => outcome.isErr() && (outcome.error as { kind: string }).kind === 'contended').length
      expect(others + contended).toBe(7)
    }),
  )

  it(
    'L17: of racing units that lease one lane no two see the same fence',
    over(open, async (store) => {
      const ids = fakeIds()
      const subscriptionId = ids.next()
      await insertAll(store, { subscriptions: [], deliveries: [], received: [], lanes: [{ subscriptionId, ...lane }] })
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, async () =>
          store.transactions.attempt(ids.next(), (tx) =>
            tx.lanes.find({ subscriptionId }).map((found) => {
              const fence = (found?.fence ?? 0) + 1
              tx.lanes.update({ subscriptionId, ...lane, fence })
              return fence
            }),
          ),
        ),
      )
      const fences = outcomes.flatMap((outcome) => (outcome.isOk() ? [outcome.value.value] : []))
      expect(fences.length).toBeGreaterThan(0)
      expect(new Set(fences).size).toBe(fences.length)
      expect(await inUnit(store, (tx) => tx.lanes.find({ subscriptionId }))).toMatchObject({ fence: fences.length })
    }),
  )
}

function byId(left: Readonly<{ id: string }>, right: Readonly<{ id: string }>): number {
  return left.id < right.id ? -1 : Number(left.id > right.id)
}

function newest<Row extends Readonly<{ id: string }>>(rows: readonly Row[], before: string | null, limit: number): readonly Row[] {
  return rows
    .filter(({ id }) => before === null || id < before)
    .sort((left, right) => byId(right, left))
    .slice(0, limit)
}

/** In the order of `dueAt`; which of those due at one instant come first is the store's own choice. */
function expectEarliest<Row extends Readonly<{ dueAt: number | null }>>(found: readonly Row[], due: readonly Row[], limit: number): void {
  const instants = due.map(({ dueAt }) => dueAt ?? 0).sort((left, right) => left - right)
  expect(found.map(({ dueAt }) => dueAt)).toEqual(instants.slice(0, limit))
  for (const row of found) expect(due).toContainEqual(row)
}

async function inUnit<T>({ transactions }: StoreHarness, read: (tx: Transaction) => ResultAsync<T, StoreUnavailable>): Promise<T> {
  const committed = await expectOk(transactions.attempt(unitIds.next(), read))
  return committed.value
}

async function insertAll({ transactions }: StoreHarness, rows: Rows): Promise<void> {
  await expectOk(
    transactions.attempt(unitIds.next(), (tx) =>
      safeTry(async function* () {
        for (const row of rows.subscriptions) {
          yield* tx.subscriptions.find(row)
          tx.subscriptions.insert(row)
        }
        for (const row of rows.lanes) tx.lanes.insert(row)
        for (const row of rows.deliveries) tx.deliveries.insert(row)
        for (const row of rows.received) tx.receivedWebhooks.insert(row)
        return ok(null)
      }),
    ),
  )
}

async function updateAll({ transactions }: StoreHarness, rows: Rows): Promise<void> {
  await expectOk(
    transactions.attempt(unitIds.next(), (tx) =>
      safeTry(async function* () {
        for (const row of rows.subscriptions) {
          yield* tx.subscriptions.find(row)
          tx.subscriptions.update(row)
        }
        for (const row of rows.lanes) {
          yield* tx.lanes.find(row)
          tx.lanes.update(row)
        }
        for (const row of rows.deliveries) {
          yield* tx.deliveries.find(row)
          tx.deliveries.update(row)
        }
        for (const row of rows.received) {
          yield* tx.receivedWebhooks.find(row)
          tx.receivedWebhooks.update(row)
        }
        return ok(null)
      }),
    ),
  )
}

/** The same rows with the contents of others; what never changes stays. */
function replaced(rows: Rows, others: Rows): Rows {
  const pick = <Row>(from: readonly Row[], index: number, own: Row): Row => from[index % Math.max(from.length, 1)] ?? own
  return {
    subscriptions: rows.subscriptions.map((own, index) => {
      const { id, client, createdAt } = own
      return { ...pick(others.subscriptions, index, own), id, client, createdAt }
    }),
    lanes: rows.lanes.map((own, index) => ({ ...pick(others.lanes, index, own), subscriptionId: own.subscriptionId })),
    deliveries: rows.deliveries.map((own, index) => {
      const { status, attempts, dueAt, endedAt } = pick(others.deliveries, index, own)
      return { ...own, status, attempts, dueAt, endedAt }
    }),
    received: rows.received.map((own, index) => ({ ...pick(others.received, index, own), id: own.id })),
  }
}

async function expectRows(store: StoreHarness, rows: Rows): Promise<void> {
  for (const row of rows.subscriptions) expect(await expectOk(store.webhookStore.subscription(row.id))).toEqual(row)
  for (const row of rows.deliveries) expect(await expectOk(store.webhookStore.delivery(row.id))).toEqual(row)
  const found = await inUnit(store, (tx) =>
    safeTry(async function* () {
      const all: unknown[] = []
      for (const row of rows.subscriptions) all.push(yield* tx.subscriptions.find(row))
      for (const row of rows.lanes) all.push(yield* tx.lanes.find(row))
      for (const row of rows.deliveries) all.push(yield* tx.deliveries.find(row))
      for (const row of rows.received) all.push(yield* tx.receivedWebhooks.find(row))
      return ok(all)
    }),
  )
  expect(found).toEqual([...rows.subscriptions, ...rows.lanes, ...rows.deliveries, ...rows.received])
}
