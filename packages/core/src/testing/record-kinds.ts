import fc from 'fast-check'
import { anyApiKey, anyApiKeyUse } from '../access/testing/arbitraries.ts'
import type { AuditHead } from '../audit/index.ts'
import { anyAuditHead, anyAuditRecord } from '../audit/testing/arbitraries.ts'
import { anyDeadLetter, anyInboxPosition } from '../events/testing/arbitraries.ts'
import type { Records } from '../kernel/records.ts'
import { anyUuid } from '../kernel/testing/arbitraries.ts'
import { anyDiscrepancy, anyHistoryEntry, anyIdempotencyRecord, anyPayment, anyPaymentReference } from '../payments/testing/arbitraries.ts'
import { anyDataKey } from '../sealing/testing/arbitraries.ts'
import type { Transaction } from '../transaction.ts'
import { anyDeliveryOf, anyLaneOf, anyReceivedWebhook, anySubscription, anyWebhookClient } from '../webhooks/testing/arbitraries.ts'

/** One kind of row, with what it takes to try it out. */
export type RowKind<Row, KeyName extends keyof Row> = Readonly<{
  name: string
  of: (tx: Transaction) => Records<Row, KeyName>
  keyNames: readonly KeyName[]
  rows: fc.Arbitrary<Row>
  /** What any row may hold, and what engines like to change. */
  edges: readonly Partial<Row>[]
  /** Rows are inserted, never updated. */
  isAppendOnly: boolean
}>

const long = `${'long '.repeat(2000)}é😀\u2028"\\'; --`
const largest = Number.MAX_SAFE_INTEGER
const anyOwner = fc.record({ id: anyUuid, client: anyWebhookClient })

function kind<Row, KeyName extends keyof Row>(
  name: string,
  of: (tx: Transaction) => Records<Row, KeyName>,
  keyNames: readonly KeyName[],
  rows: fc.Arbitrary<Row>,
  ...edges: readonly Partial<Row>[]
): RowKind<Row, KeyName> {
  return { name, of, keyNames, rows, edges, isAppendOnly: false }
}

type Visit = <Row, KeyName extends keyof Row>(kind: RowKind<Row, KeyName>) => void

/** Calls back for every kind of row that a unit can record. */
export function forEachKind(visit: Visit): void {
  visitPayments(visit)
  visitInboxes(visit)
  visitWebhooks(visit)
  visitAccess(visit)
  visitAudit(visit)
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
      anyOwner.chain(anyLaneOf),
      { dueAt: null, leasedUntil: null, failingSince: null, pausedUntil: null },
      { dueAt: largest, fence: largest },
    ),
  )
  visit(
    kind(
      'deliveries',
      (tx) => tx.deliveries,
      ['id'],
      anyOwner.chain(anyDeliveryOf),
      { event: null, attempts: [], dueAt: null, endedAt: null, replayOf: null, traceparent: null },
      { body: JSON.stringify(long), dueAt: largest, replayed: true },
    ),
  )
}

function visitAccess(visit: Visit): void {
  visit(
    kind(
      'apiKeys',
      (tx) => tx.apiKeys,
      ['id'],
      anyApiKey,
      { permissions: [], configScopes: null, allowedFrom: null, revokedAt: null, warnAt: null },
      { name: long, configScopes: [], allowedFrom: [], secrets: [], revokedAt: largest, warnAt: largest, version: largest },
    ),
  )
  visit(kind('apiKeyUses', (tx) => tx.apiKeyUses, ['keyId'], anyApiKeyUse, { lastUsedAt: 0 }, { lastUsedAt: largest }))
  visit(
    kind('dataKeys', (tx) => tx.dataKeys, ['purpose', 'version'], anyDataKey, { version: largest, sealed: long }, { createdAt: largest }),
  )
}

/** There is one head in a log; to try out rows, several are needed. */
const anyOneOfHeads = fc.tuple(anyAuditHead, anyUuid).map(([head, id]) => ({ ...head, id }) as unknown as AuditHead)

function visitAudit(visit: Visit): void {
  const all = kind(
    'auditRecords',
    (tx) => tx.auditRecords,
    ['number'],
    anyAuditRecord,
    { subject: null, requestId: null, details: {} },
    { number: largest, requestId: long, count: largest, at: largest, details: { long }, recordedAt: largest, keyVersion: largest },
  )
  visit({ ...all, isAppendOnly: true })
  visit(kind('auditHead', (tx) => tx.auditHead, ['id'], anyOneOfHeads, { number: 0, mac: '' }, { number: largest, mac: long }))
}
