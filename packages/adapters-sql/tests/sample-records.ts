import type {
  DeadLetter,
  Discrepancy,
  HistoryEntry,
  IdempotencyRecord,
  InboxPosition,
  Lane,
  Payment,
  PaymentReference,
  ReceivedWebhook,
  Subscription,
  Transaction,
  Uuid,
  WebhookDelivery,
} from '@cbp/core'
import { okAsync, type ResultAsync } from 'neverthrow'
import type { RecordKinds } from '../src/sql/record-kinds.ts'

/** A UUIDv7 of that millisecond. */
export function idAt(ms: number, counter = 0): Uuid {
  const time = ms.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${counter.toString(16).padStart(12, '0')}` as Uuid
}

export function payment(changes: Partial<Payment> = {}): Payment {
  return {
    id: idAt(1),
    client: 'client',
    status: 'PENDING',
    amount: 1999,
    currency: 'EUR' as Payment['currency'],
    payee: { id: 'payee', name: 'Power & Light' },
    userId: 'user',
    reference: null,
    metadata: { invoice: '42' },
    version: 1,
    createdAt: 1,
    updatedAt: 1,
    attempt: null,
    failure: null,
    remoteReference: null,
    checkAt: null,
    checks: 0,
    entries: 1,
    ...changes,
  }
}

const reference: PaymentReference = { client: 'client', reference: 'invoice 42', paymentId: idAt(1) }

const idempotencyKey: IdempotencyRecord = {
  client: 'client',
  operation: 'create-payment',
  key: 'key',
  fingerprint: 'fingerprint',
  paymentId: idAt(1),
  answer: null,
  leasedUntil: 10,
  expiresAt: 20,
}

const historyEntry: HistoryEntry = {
  paymentId: idAt(1),
  number: 1,
  kind: 'created',
  from: null,
  to: 'PENDING',
  version: 1,
  actor: 'client',
  cause: 'request',
  detail: null,
  requestId: 'request',
  recordedAt: 1,
}

const discrepancy: Discrepancy = { paymentId: idAt(1), kind: 'status', ours: 'FAILED', theirs: 'COMPLETED', openedAt: 1, resolvedAt: null }

const position: InboxPosition = { consumer: 'webhooks', stream: 'system' as InboxPosition['stream'], sequence: 1, failures: 0 }

const deadLetter: DeadLetter = {
  id: idAt(1),
  consumer: 'webhooks',
  event: {
    id: idAt(2),
    stream: 'system' as InboxPosition['stream'],
    sequence: 1,
    event: { type: 'SYSTEM_ALERT', payload: { component: 'relay', details: {}, severity: 'ERROR', timestamp: '2026-01-01T00:00:00.000Z' } },
    occurredAt: 1,
    traceparent: null,
  },
  reason: 'refused',
  failures: 3,
  deadAt: 1,
  state: 'dead',
  settled: null,
}

const receivedWebhook: ReceivedWebhook = { id: 'msg_1', receivedAt: 1, expiresAt: 20 }

export function subscription(changes: Partial<Subscription> = {}): Subscription {
  return {
    id: idAt(1),
    client: 'client',
    url: 'https://example.com/hook',
    description: null,
    types: ['PAYMENT_COMPLETED'],
    filter: { statuses: null, components: ['payments'] },
    reach: { allClients: false, system: false },
    status: 'active',
    disabledBecause: null,
    secrets: [{ id: idAt(3), sealed: 'sealed', createdAt: 1, expiresAt: null }],
    version: 1,
    createdAt: 1,
    updatedAt: 1,
    ...changes,
  }
}

const lane: Lane = {
  subscriptionId: idAt(1),
  dueAt: 1,
  fence: 0,
  leasedUntil: null,
  failures: 0,
  failingSince: null,
  pausedUntil: null,
}

export function delivery(changes: Partial<WebhookDelivery> = {}): WebhookDelivery {
  return {
    id: idAt(1),
    subscriptionId: idAt(1),
    client: 'client',
    type: 'PAYMENT_COMPLETED',
    event: { id: idAt(2), stream: 'system' as InboxPosition['stream'], sequence: 1 },
    body: '{}',
    status: 'pending',
    attempts: [],
    dueAt: 1,
    createdAt: 1,
    endedAt: null,
    replayOf: null,
    replayed: false,
    traceparent: null,
    ...changes,
  }
}

type Samples = { readonly [Name in keyof RecordKinds]: Parameters<Transaction[Name]['insert']>[0] }

/** One row of every kind. */
export const samples: Samples = {
  payments: payment(),
  paymentReferences: reference,
  paymentHistory: historyEntry,
  discrepancies: discrepancy,
  idempotencyKeys: idempotencyKey,
  inbox: position,
  deadLetters: deadLetter,
  receivedWebhooks: receivedWebhook,
  subscriptions: subscription(),
  lanes: lane,
  deliveries: delivery(),
}

/** Work that records and answers nothing. */
export function recording(record: (tx: Transaction) => void): (tx: Transaction) => ResultAsync<null, never> {
  return (tx) => {
    record(tx)
    return okAsync(null)
  }
}
