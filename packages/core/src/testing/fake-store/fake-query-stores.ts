import { okAsync } from 'neverthrow'
import type { DeadLetterStore } from '../../events/index.ts'
import type { PaymentStatus, PaymentStore } from '../../payments/index.ts'
import type { WebhookStore } from '../../webhooks/index.ts'
import { allRows, rowOf } from './fake-records.ts'
import { byId, type RecordTables } from './record-tables.ts'

type Identified = Readonly<{ id: string }>

/** Newest first. */
export function pageBefore<Row extends Identified>(rows: readonly Row[], before: string | null, limit: number): readonly Row[] {
  return rows
    .filter(({ id }) => before === null || id < before)
    .sort((left, right) => byId(right, left))
    .slice(0, limit)
}

export function fakePaymentStore(tables: RecordTables): PaymentStore {
  return {
    payment: (id) => okAsync(rowOf(tables.payments, { id })),
    payments({ client, status, userId, from, to }, before, limit) {
      const matching = allRows(tables.payments).filter(
        (payment) =>
          (client === null || payment.client === client) &&
          (status === null || payment.status === status) &&
          (userId === null || payment.userId === userId) &&
          (from === null || payment.createdAt >= from) &&
          (to === null || payment.createdAt < to),
      )
      return okAsync(pageBefore(matching, before, limit))
    },
    history(id, after, limit) {
      const own = tables.historyOf(id).filter(({ number }) => number > after)
      return okAsync(own.sort((left, right) => left.number - right.number).slice(0, limit))
    },
    discrepancies: (id) => okAsync(tables.discrepanciesOf(id).toSorted((left, right) => (left.kind < right.kind ? -1 : 1))),
    dueForCheck(now, limit) {
      const due = tables.toCheck().filter(({ checkAt }) => checkAt !== null && checkAt <= now)
      return okAsync(
        due
          .sort((left, right) => (left.checkAt ?? 0) - (right.checkAt ?? 0) || byId(left, right))
          .slice(0, limit)
          .map(({ id }) => id),
      )
    },
    totals() {
      const byStatus: Partial<Record<PaymentStatus, number>> = {}
      for (const { status } of allRows(tables.payments)) byStatus[status] = (byStatus[status] ?? 0) + 1
      return okAsync({ byStatus, openDiscrepancies: allRows(tables.discrepancies).filter(({ resolvedAt }) => resolvedAt === null).length })
    },
    dropExpiredKeys: (now, limit) => okAsync(tables.dropExpiredKeys(now, limit)),
  }
}

export function fakeWebhookStore(tables: RecordTables): WebhookStore {
  return {
    subscription: (id) => okAsync(rowOf(tables.subscriptions, { id })),
    subscriptions(client, before, limit) {
      const own = allRows(tables.subscriptions).filter((each) => each.status !== 'deleted' && (client === null || each.client === client))
      return okAsync(pageBefore(own, before, limit))
    },
    delivery: (id) => okAsync(rowOf(tables.deliveries, { id })),
    deliveries({ client, subscriptionId, status }, before, limit) {
      const matching = allRows(tables.deliveries).filter(
        (each) =>
          (client === null || each.client === client) &&
          (subscriptionId === null || each.subscriptionId === subscriptionId) &&
          (status === null || each.status === status),
      )
      return okAsync(pageBefore(matching, before, limit))
    },
    dueLanes(now, limit) {
      const due = tables
        .busyLanes()
        .filter(({ dueAt, leasedUntil }) => dueAt !== null && dueAt <= now && (leasedUntil === null || leasedUntil <= now))
      return okAsync(due.sort((left, right) => (left.dueAt ?? 0) - (right.dueAt ?? 0)).slice(0, limit))
    },
    dueDeliveries: (subscriptionId, now, limit) =>
      okAsync(
        tables
          .pendingOf(subscriptionId)
          .filter(({ dueAt }) => dueAt !== null && dueAt <= now)
          .slice(0, limit),
      ),
    backlog() {
      const pending = allRows(tables.deliveries).filter(({ status }) => status === 'pending')
      const oldestDueAt = pending.reduce<number | null>((oldest, { dueAt }) => Math.min(oldest ?? dueAt ?? 0, dueAt ?? 0), null)
      const disabledSubscriptions = allRows(tables.subscriptions).filter(({ status }) => status === 'disabled').length
      return okAsync({ pending: pending.length, oldestDueAt, disabledSubscriptions })
    },
    dropExpiredIds: (now, limit) => okAsync(tables.dropExpiredIds(now, limit)),
  }
}

export function fakeDeadLetterStore(tables: RecordTables): DeadLetterStore {
  return {
    deadLetter: (id) => okAsync(rowOf(tables.deadLetters, { id })),
    deadLetters({ consumer, state }, before, limit) {
      const matching = allRows(tables.deadLetters).filter(
        (letter) => (consumer === null || letter.consumer === consumer) && (state === null || letter.state === state),
      )
      return okAsync(pageBefore(matching, before, limit))
    },
    deadCount: () => okAsync(allRows(tables.deadLetters).filter(({ state }) => state === 'dead').length),
  }
}
