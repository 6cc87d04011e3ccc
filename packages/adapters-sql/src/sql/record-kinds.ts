import type { Records, Transaction } from '@cbp/core'
import { apiKeyKind, apiKeyUseKind } from '../access/api-key-kinds.ts'
import { auditHeadKind, auditRecordKind } from '../audit/audit-kinds.ts'
import { deadLetterKind, inboxKind } from '../events/inbox-kinds.ts'
import { discrepancyKind, historyKind, idempotencyKind, paymentKind, paymentReferenceKind } from '../payments/payment-kinds.ts'
import { dataKeyKind } from '../sealing/data-key-kind.ts'
import { deliveryKind, laneKind, receivedWebhookKind, subscriptionKind } from '../webhooks/webhook-kinds.ts'
import type { RecordKind } from './record-kind.ts'

type NotRecords = 'config' | 'outbox' | 'subscribers' | 'nextDue' | 'pendingDeliveries'

type KindOf<Port> = Port extends Records<infer Row, infer KeyName> ? RecordKind<Row, KeyName> : never

export type RecordKinds = { readonly [Name in Exclude<keyof Transaction, NotRecords>]: KindOf<Transaction[Name]> }

/** Every kind of record that a unit of work may find, insert and update, under its name on the transaction. */
export const recordKinds: RecordKinds = {
  payments: paymentKind,
  paymentReferences: paymentReferenceKind,
  paymentHistory: historyKind,
  discrepancies: discrepancyKind,
  idempotencyKeys: idempotencyKind,
  inbox: inboxKind,
  deadLetters: deadLetterKind,
  receivedWebhooks: receivedWebhookKind,
  subscriptions: subscriptionKind,
  lanes: laneKind,
  deliveries: deliveryKind,
  apiKeys: apiKeyKind,
  apiKeyUses: apiKeyUseKind,
  dataKeys: dataKeyKind,
  auditRecords: auditRecordKind,
  auditHead: auditHeadKind,
}
