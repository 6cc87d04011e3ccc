import type {
  AuditRecord,
  IdempotencyRecord,
  Payment,
  ReceivedWebhook,
  Stream,
  Subscription,
  Transaction,
  Uuid,
  WebhookDelivery,
} from '@cbp/core'
import { okAsync, type ResultAsync } from 'neverthrow'

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

export const idempotencyKey: IdempotencyRecord = {
  client: 'client',
  operation: 'create-payment',
  key: 'key',
  fingerprint: 'fingerprint',
  paymentId: idAt(1),
  answer: null,
  leasedUntil: 10,
  expiresAt: 20,
}

export const receivedWebhook: ReceivedWebhook = { id: 'msg_1', receivedAt: 1, expiresAt: 20 }

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

export function delivery(changes: Partial<WebhookDelivery> = {}): WebhookDelivery {
  return {
    id: idAt(1),
    subscriptionId: idAt(1),
    client: 'client',
    type: 'PAYMENT_COMPLETED',
    event: { id: idAt(2), stream: 'system' as Stream, sequence: 1 },
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

export function auditRecord(changes: Partial<AuditRecord> = {}): AuditRecord {
  return {
    number: 1,
    action: 'api-key.created',
    outcome: 'done',
    actor: 'cli:operator',
    subject: null,
    requestId: null,
    count: 1,
    at: 1,
    details: {},
    recordedAt: 1,
    keyVersion: 1,
    mac: 'mac',
    ...changes,
  }
}

/** Work that records and answers nothing. */
export function recording(record: (tx: Transaction) => void): (tx: Transaction) => ResultAsync<null, never> {
  return (tx) => {
    record(tx)
    return okAsync(null)
  }
}
