import { okAsync } from 'neverthrow'
import type { ApiKey, ApiKeyUse } from '../../access/index.ts'
import type { AuditHead, AuditRecord } from '../../audit/index.ts'
import type { DeadLetter, InboxPosition } from '../../events/index.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Discrepancy, HistoryEntry, IdempotencyRecord, Payment, PaymentReference } from '../../payments/index.ts'
import type { DataKey } from '../../sealing/index.ts'
import type { Transaction } from '../../transaction.ts'
import type { Lane, ReceivedWebhook, Subscription, WebhookDelivery } from '../../webhooks/index.ts'
import {
  allRows,
  expiryOf,
  groupsOf,
  noteFound,
  type RecordedWrites,
  type RecordTable,
  recordsOver,
  recordTable,
  rowOf,
} from './fake-records.ts'

/** Every kind of row that is kept under a key, and what is asked of them so often that it must not cost a look at all. */
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
  apiKeys: RecordTable<ApiKey, 'id'>
  apiKeyUses: RecordTable<ApiKeyUse, 'keyId'>
  dataKeys: RecordTable<DataKey, 'purpose' | 'version'>
  auditRecords: RecordTable<AuditRecord, 'number'>
  auditHead: RecordTable<AuditHead, 'id'>
  /** Payments that the reconciler is to ask after, now or later. */
  toCheck: () => readonly Payment[]
  historyOf: (payment: string) => readonly HistoryEntry[]
  discrepanciesOf: (payment: string) => readonly Discrepancy[]
  /** Lanes that are to be looked at, now or later. */
  busyLanes: () => readonly Lane[]
  /** Pending deliveries of a subscription, the earliest due first. */
  pendingOf: (subscription: string) => readonly WebhookDelivery[]
  dropExpiredKeys: (now: Instant, limit: number) => number
  dropExpiredIds: (now: Instant, limit: number) => number
}>

export function emptyRecordTables(): RecordTables {
  const payments = recordTable<Payment, 'id'>('payment', 'id')
  const paymentHistory = recordTable<HistoryEntry, 'paymentId' | 'number'>('history entry', 'paymentId', 'number')
  const discrepancies = recordTable<Discrepancy, 'paymentId' | 'kind'>('discrepancy', 'paymentId', 'kind')
  const idempotencyKeys = recordTable<IdempotencyRecord, 'client' | 'operation' | 'key'>('idempotency key', 'client', 'operation', 'key')
  const receivedWebhooks = recordTable<ReceivedWebhook, 'id'>('received webhook', 'id')
  const lanes = recordTable<Lane, 'subscriptionId'>('lane', 'subscriptionId')
  const deliveries = recordTable<WebhookDelivery, 'id'>('delivery', 'id')
  const toCheck = groupsOf(payments, ({ checkAt }) => (checkAt === null ? null : ''))
  const busyLanes = groupsOf(lanes, ({ dueAt }) => (dueAt === null ? null : ''))
  const pending = groupsOf(deliveries, ({ subscriptionId, status }) => (status === 'pending' ? subscriptionId : null))
  return {
    payments,
    paymentReferences: recordTable('payment reference', 'client', 'reference'),
    paymentHistory,
    discrepancies,
    idempotencyKeys,
    inbox: recordTable('inbox position', 'consumer', 'stream'),
    deadLetters: recordTable('dead letter', 'id'),
    receivedWebhooks,
    subscriptions: recordTable('subscription', 'id'),
    lanes,
    deliveries,
    apiKeys: recordTable('API key', 'id'),
    apiKeyUses: recordTable('use of an API key', 'keyId'),
    dataKeys: recordTable('data key', 'purpose', 'version'),
    auditRecords: { ...recordTable<AuditRecord, 'number'>('audit record', 'number'), isAppendOnly: true },
    auditHead: recordTable('audit head', 'id'),
    toCheck: () => toCheck(''),
    historyOf: groupsOf(paymentHistory, ({ paymentId }) => paymentId),
    discrepanciesOf: groupsOf(discrepancies, ({ paymentId }) => paymentId),
    busyLanes: () => busyLanes(''),
    pendingOf: (subscription) => pending(subscription).toSorted(byDueTime),
    dropExpiredKeys: expiryOf(idempotencyKeys, ({ expiresAt }) => expiresAt),
    dropExpiredIds: expiryOf(receivedWebhooks, ({ expiresAt }) => expiresAt),
  }
}

export function recordTransaction(tables: RecordTables, recorded: RecordedWrites): Omit<Transaction, 'config' | 'outbox'> {
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
    apiKeys: recordsOver(tables.apiKeys, recorded),
    apiKeyUses: recordsOver(tables.apiKeyUses, recorded),
    dataKeys: recordsOver(tables.dataKeys, recorded),
    auditRecords: recordsOver(tables.auditRecords, recorded),
    auditHead: recordsOver(tables.auditHead, recorded),
    subscribers({ paymentId }) {
      const payment = paymentId === null ? null : rowOf(tables.payments, { id: paymentId })
      const concerned = allRows(tables.subscriptions).filter(({ status, reach, client }) => {
        if (status !== 'active') return false
        return paymentId === null ? reach.system : reach.allClients || client === payment?.client
      })
      return okAsync(concerned.sort(byId))
    },
    // Whatever adds a delivery updates the lane: for a unit that has found it, these stay as read.
    nextDue: (subscriptionId) => okAsync(tables.pendingOf(subscriptionId)[0]?.dueAt ?? null),
    pendingDeliveries: (subscriptionId, limit) =>
      okAsync(noteFound(tables.deliveries, recorded, tables.pendingOf(subscriptionId).slice(0, limit))),
  }
}

export function byId(left: Readonly<{ id: string }>, right: Readonly<{ id: string }>): number {
  return left.id < right.id ? -1 : Number(left.id > right.id)
}

function byDueTime(left: WebhookDelivery, right: WebhookDelivery): number {
  return (left.dueAt ?? 0) - (right.dueAt ?? 0) || byId(left, right)
}
