import fc from 'fast-check'
import type { EventType } from '../events/index.ts'
import { anyDeadLetter, anyInboxPosition, anyStream } from '../events/testing/arbitraries.ts'
import type { Records } from '../kernel/records.ts'
import { anyCaller, anyInstant, anyText, anyTraceparent, anyUuid } from '../kernel/testing/arbitraries.ts'
import {
  anyDiscrepancy,
  anyHistoryEntry,
  anyIdempotencyRecord,
  anyPayment,
  anyPaymentReference,
  anyPaymentStatus,
} from '../payments/testing/arbitraries.ts'
import type { Transaction } from '../transaction.ts'
import type { DeliveryStatus, Lane, ReceivedWebhook, Subscription, WebhookDelivery } from '../webhooks/index.ts'

/** One kind of row, with what it takes to try it out. */
export type RowKind<Row, KeyName extends keyof Row> = Readonly<{
  name: string
  of: (tx: Transaction) => Records<Row, KeyName>
  keyNames: readonly KeyName[]
  rows: fc.Arbitrary<Row>
  /** What any row may hold, and what engines like to change. */
  edges: readonly Partial<Row>[]
}>

const long = `${'long '.repeat(2000)}é😀\u2028"\\'; --`
const largest = Number.MAX_SAFE_INTEGER
const anyClient = anyCaller.map(({ client }) => client)
const anyCount = fc.integer({ min: 0, max: 1_000_000 })

const anySubscription: fc.Arbitrary<Subscription> = fc.record({
  id: anyUuid,
  client: anyClient,
  url: fc.webUrl({ validSchemes: ['https'] }),
  description: fc.option(anyText),
  types: fc.uniqueArray(fc.constantFrom<EventType | 'PAYMENT_FAILED'>('PAYMENT_CREATED', 'CONFIG_UPDATED', 'PAYMENT_FAILED'), {
    minLength: 1,
  }),
  filter: fc.record({
    statuses: fc.option(fc.uniqueArray(anyPaymentStatus)),
    components: fc.option(fc.uniqueArray(fc.constantFrom('payments', 'security'))),
  }),
  reach: fc.record({ allClients: fc.boolean(), system: fc.boolean() }),
  status: fc.constantFrom<Subscription['status']>('active', 'disabled', 'deleted'),
  disabledBecause: fc.option(anyText),
  secrets: fc.array(fc.record({ id: anyUuid, sealed: anyText, createdAt: anyInstant, expiresAt: fc.option(anyInstant) }), { maxLength: 3 }),
  version: anyCount,
  createdAt: anyInstant,
  updatedAt: anyInstant,
})

const anyLane: fc.Arbitrary<Lane> = fc.record({
  subscriptionId: anyUuid,
  dueAt: fc.option(anyInstant),
  fence: anyCount,
  leasedUntil: fc.option(anyInstant),
  failures: anyCount,
  failingSince: fc.option(anyInstant),
  pausedUntil: fc.option(anyInstant),
})

const anyAttempt = fc.record({
  number: anyCount,
  at: anyInstant,
  latencyMs: anyCount,
  status: fc.option(fc.integer({ min: 100, max: 599 })),
  error: fc.option(anyText),
  answer: fc.option(anyText),
})

const anyDelivery: fc.Arbitrary<WebhookDelivery> = fc.record({
  id: anyUuid,
  subscriptionId: anyUuid,
  client: anyClient,
  type: fc.constantFrom<WebhookDelivery['type']>('PAYMENT_COMPLETED', 'SYSTEM_ALERT', 'TEST'),
  event: fc.option(fc.record({ id: anyUuid, stream: anyStream, sequence: anyCount })),
  body: anyText.map((text) => JSON.stringify({ text })),
  status: fc.constantFrom<DeliveryStatus>('pending', 'delivered', 'exhausted', 'cancelled'),
  attempts: fc.array(anyAttempt, { maxLength: 3 }),
  dueAt: fc.option(anyInstant),
  createdAt: anyInstant,
  endedAt: fc.option(anyInstant),
  replayOf: fc.option(anyUuid),
  replayed: fc.boolean(),
  traceparent: fc.option(anyTraceparent),
})

const anyReceivedWebhook: fc.Arbitrary<ReceivedWebhook> = fc.record({
  id: fc.oneof(anyUuid, fc.stringMatching(/^msg_[A-Za-z0-9]{1,60}$/)),
  receivedAt: anyInstant,
  expiresAt: anyInstant,
})

function kind<Row, KeyName extends keyof Row>(
  name: string,
  of: (tx: Transaction) => Records<Row, KeyName>,
  keyNames: readonly KeyName[],
  rows: fc.Arbitrary<Row>,
  ...edges: readonly Partial<Row>[]
): RowKind<Row, KeyName> {
  return { name, of, keyNames, rows, edges }
}

type Visit = <Row, KeyName extends keyof Row>(kind: RowKind<Row, KeyName>) => void

/** Calls back for every kind of row that a unit can record. */
export function forEachKind(visit: Visit): void {
  visitPayments(visit)
  visitInboxes(visit)
  visitWebhooks(visit)
}

function visitPayments(visit: Visit): void {
  const nothing = { attempt: null, failure: null, remoteReference: null, checkAt: null, reference: null, metadata: {} }
  visit(
    kind('payments', (tx) => tx.payments, ['id'], anyPayment, nothing, { failure: long, version: largest, updatedAt: largest, checks: 0 }),
  )
  visit(kind('paymentReferences', (tx) => tx.paymentReferences, ['client', 'reference'], anyPaymentReference))
  visit(
    kind(
      'paymentHistory',
      (tx) => tx.paymentHistory,
      ['paymentId', 'number'],
      anyHistoryEntry,
      { from: null, detail: null, requestId: null },
      { detail: long, number: largest, recordedAt: largest },
    ),
  )
  visit(
    kind(
      'discrepancies',
      (tx) => tx.discrepancies,
      ['paymentId', 'kind'],
      anyDiscrepancy,
      { resolvedAt: null },
      { ours: long, theirs: '', openedAt: largest },
    ),
  )
  visit(
    kind(
      'idempotencyKeys',
      (tx) => tx.idempotencyKeys,
      ['client', 'operation', 'key'],
      anyIdempotencyRecord,
      { answer: null },
      { answer: long, expiresAt: largest },
    ),
  )
}

function visitInboxes(visit: Visit): void {
  visit(
    kind(
      'inbox',
      (tx) => tx.inbox,
      ['consumer', 'stream'],
      anyInboxPosition,
      { sequence: 0, failures: 0 },
      { sequence: largest, failures: largest },
    ),
  )
  visit(
    kind(
      'deadLetters',
      (tx) => tx.deadLetters,
      ['id'],
      anyDeadLetter,
      { state: 'dead', settled: null },
      { state: 'discarded', settled: { at: largest, actor: 'cli:operator', reason: long } },
      { state: 'replayed', settled: { at: 0, actor: 'cli:operator', reason: null }, reason: long },
    ),
  )
  visit(kind('receivedWebhooks', (tx) => tx.receivedWebhooks, ['id'], anyReceivedWebhook, { receivedAt: 0, expiresAt: largest }))
}

function visitWebhooks(visit: Visit): void {
  visit(
    kind(
      'subscriptions',
      (tx) => tx.subscriptions,
      ['id'],
      anySubscription,
      { description: null, disabledBecause: null, filter: { statuses: null, components: null } },
      { description: long, secrets: [], filter: { statuses: [], components: [] }, version: largest },
    ),
  )
  visit(
    kind(
      'lanes',
      (tx) => tx.lanes,
      ['subscriptionId'],
      anyLane,
      { dueAt: null, leasedUntil: null, failingSince: null, pausedUntil: null },
      { dueAt: largest, fence: largest },
    ),
  )
  visit(
    kind(
      'deliveries',
      (tx) => tx.deliveries,
      ['id'],
      anyDelivery,
      { event: null, attempts: [], dueAt: null, endedAt: null, replayOf: null, traceparent: null },
      { body: JSON.stringify(long), dueAt: largest, replayed: true },
    ),
  )
}
