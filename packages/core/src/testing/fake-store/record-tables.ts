import { okAsync } from 'neverthrow'
import type { DeadLetter, InboxPosition } from '../../events/index.ts'
import type { Discrepancy, HistoryEntry, IdempotencyRecord, Payment, PaymentReference } from '../../payments/index.ts'
import type { Transaction } from '../../transaction.ts'
import type { Lane, ReceivedWebhook, Subscription, WebhookDelivery } from '../../webhooks/index.ts'
import { allRows, type RecordedWrites, type RecordTable, recordsOver, recordTable } from './fake-records.ts'

/** Every kind of row that is kept under a key. */
export type RecordTables = Readonly<{
  payments: RecordTable<Payment, 'id'>
  paymentReferences: RecordTable<PaymentReference, 'client' | 'reference'>
  paymentHistory: RecordTable<HistoryEntry, 'paymentId' | 'number'>
  discrepancies: RecordTable<Discrepancy, 'paymentId' | 'kind'>
  idempotencyKeys: RecordTable<IdempotencyRecord, 'client' | 'operation' | 'key'>
  inbox: RecordTable<InboxPosition, 'consumer' | 'stream'>
  deadLetters: RecordTable<DeadLetter, 'id'>
  receivedWebhooks: RecordTable<ReceivedWebhook, 'id'>
  subscriptions: RecordTable<Subscription, 'id'>
  lanes: RecordTable<Lane, 'subscriptionId'>
  deliveries: RecordTable<WebhookDelivery, 'id'>
}>

export function emptyRecordTables(): RecordTables {
  return {
    payments: recordTable('payment', 'id'),
    paymentReferences: recordTable('payment reference', 'client', 'reference'),
    paymentHistory: recordTable('history entry', 'paymentId', 'number'),
    discrepancies: recordTable('discrepancy', 'paymentId', 'kind'),
    idempotencyKeys: recordTable('idempotency key', 'client', 'operation', 'key'),
    inbox: recordTable('inbox position', 'consumer', 'stream'),
    deadLetters: recordTable('dead letter', 'id'),
    receivedWebhooks: recordTable('received webhook', 'id'),
    subscriptions: recordTable('subscription', 'id'),
    lanes: recordTable('lane', 'subscriptionId'),
    deliveries: recordTable('delivery', 'id'),
  }
}

export function recordTransaction(tables: RecordTables, recorded: RecordedWrites): Omit<Transaction, 'config' | 'outbox'> {
  const pendingOf = (subscriptionId: string): readonly WebhookDelivery[] =>
    allRows(tables.deliveries)
      .filter((delivery) => delivery.subscriptionId === subscriptionId && delivery.status === 'pending')
      .sort((left, right) => (left.dueAt ?? 0) - (right.dueAt ?? 0))
  return {
    payments: recordsOver(tables.payments, recorded),
    paymentReferences: recordsOver(tables.paymentReferences, recorded),
    paymentHistory: recordsOver(tables.paymentHistory, recorded),
    discrepancies: recordsOver(tables.discrepancies, recorded),
    idempotencyKeys: recordsOver(tables.idempotencyKeys, recorded),
    inbox: recordsOver(tables.inbox, recorded),
    deadLetters: recordsOver(tables.deadLetters, recorded),
    receivedWebhooks: recordsOver(tables.receivedWebhooks, recorded),
    subscriptions: recordsOver(tables.subscriptions, recorded),
    lanes: recordsOver(tables.lanes, recorded),
    deliveries: recordsOver(tables.deliveries, recorded),
    subscribers: ({ client }) =>
      okAsync(
        allRows(tables.subscriptions)
          .filter(({ status, reach, client: owner }) => {
            if (status !== 'active') return false
            return client === null ? reach.system : reach.allClients || owner === client
          })
          .sort(byId),
      ),
    nextDue: (subscriptionId) => okAsync(pendingOf(subscriptionId)[0]?.dueAt ?? null),
    pendingDeliveries: (subscriptionId, limit) => okAsync(pendingOf(subscriptionId).slice(0, limit)),
  }
}

export function byId(left: Readonly<{ id: string }>, right: Readonly<{ id: string }>): number {
  return left.id < right.id ? -1 : Number(left.id > right.id)
}
