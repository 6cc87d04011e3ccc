import type {
  Cause,
  Discrepancy,
  DiscrepancyKind,
  HistoryEntry,
  IdempotencyRecord,
  IdempotentOperation,
  Payment,
  PaymentReference,
  PaymentStatus,
} from '@cbp/core'
import { integer, json, oneOf, optional, type RecordKind, text } from '../sql/record-kind.ts'

/** Named as keys, so that a status that is added cannot be left out. */
const statuses: Readonly<Record<PaymentStatus, true>> = {
  PENDING: true,
  PROCESSING: true,
  COMPLETED: true,
  FAILED: true,
  UNKNOWN: true,
  CANCELLED: true,
  REVERSED: true,
}
const causes: Readonly<Record<Cause, true>> = { request: true, instruction: true, webhook: true, reconciler: true }
const entryKinds: Readonly<Record<HistoryEntry['kind'], true>> = { created: true, transition: true, amended: true, ignored: true }
const discrepancyKinds: Readonly<Record<DiscrepancyKind, true>> = { status: true, amount: true, currency: true }
const operations: Readonly<Record<IdempotentOperation, true>> = { 'create-payment': true, 'process-payment': true }

export const paymentStatuses: readonly string[] = Object.keys(statuses)

export const paymentKind: RecordKind<Payment, 'id'> = {
  name: 'payment',
  table: 'payments',
  key: ['id'],
  columns: {
    id: text,
    client: text,
    status: oneOf(paymentStatuses),
    amount: integer,
    currency: text,
    payee: json,
    user_id: text,
    reference: optional(text),
    metadata: json,
    version: integer,
    created_at: integer,
    updated_at: integer,
    attempt_id: optional(text),
    attempt_started_at: optional(integer),
    attempt_not_after: optional(integer),
    failure: optional(text),
    remote_reference: optional(text),
    check_at: optional(integer),
    checks: integer,
    entries: integer,
  },
  toValues: (row) => [
    row.id,
    row.client,
    row.status,
    row.amount,
    row.currency,
    row.payee,
    row.userId,
    row.reference,
    row.metadata,
    row.version,
    row.createdAt,
    row.updatedAt,
    row.attempt === null ? null : row.attempt.id,
    row.attempt === null ? null : row.attempt.startedAt,
    row.attempt === null ? null : row.attempt.notAfter,
    row.failure,
    row.remoteReference,
    row.checkAt,
    row.checks,
    row.entries,
  ],
  fromValues: (values) =>
    ({
      id: values[0],
      client: values[1],
      status: values[2],
      amount: values[3],
      currency: values[4],
      payee: values[5],
      userId: values[6],
      reference: values[7],
      metadata: values[8],
      version: values[9],
      createdAt: values[10],
      updatedAt: values[11],
      attempt: values[12] === null ? null : { id: values[12], startedAt: values[13], notAfter: values[14] },
      failure: values[15],
      remoteReference: values[16],
      checkAt: values[17],
      checks: values[18],
      entries: values[19],
    }) as Payment,
}

export const paymentReferenceKind: RecordKind<PaymentReference, 'client' | 'reference'> = {
  name: 'payment reference',
  table: 'payment_references',
  key: ['client', 'reference'],
  columns: { client: text, reference: text, payment_id: text },
  toValues: (row) => [row.client, row.reference, row.paymentId],
  fromValues: ([client, reference, paymentId]) => ({ client, reference, paymentId }) as PaymentReference,
}

export const historyKind: RecordKind<HistoryEntry, 'paymentId' | 'number'> = {
  name: 'history entry',
  table: 'payment_history',
  key: ['paymentId', 'number'],
  columns: {
    payment_id: text,
    number: integer,
    kind: oneOf(Object.keys(entryKinds)),
    from_status: optional(oneOf(paymentStatuses)),
    to_status: oneOf(paymentStatuses),
    version: integer,
    actor: text,
    cause: oneOf(Object.keys(causes)),
    detail: optional(text),
    request_id: optional(text),
    recorded_at: integer,
  },
  toValues: (row) => [
    row.paymentId,
    row.number,
    row.kind,
    row.from,
    row.to,
    row.version,
    row.actor,
    row.cause,
    row.detail,
    row.requestId,
    row.recordedAt,
  ],
  fromValues: ([paymentId, number, kind, from, to, version, actor, cause, detail, requestId, recordedAt]) =>
    ({ paymentId, number, kind, from, to, version, actor, cause, detail, requestId, recordedAt }) as HistoryEntry,
}

export const discrepancyKind: RecordKind<Discrepancy, 'paymentId' | 'kind'> = {
  name: 'discrepancy',
  table: 'discrepancies',
  key: ['paymentId', 'kind'],
  columns: {
    payment_id: text,
    kind: oneOf(Object.keys(discrepancyKinds)),
    ours: text,
    theirs: text,
    opened_at: integer,
    resolved_at: optional(integer),
  },
  toValues: (row) => [row.paymentId, row.kind, row.ours, row.theirs, row.openedAt, row.resolvedAt],
  fromValues: ([paymentId, kind, ours, theirs, openedAt, resolvedAt]) =>
    ({ paymentId, kind, ours, theirs, openedAt, resolvedAt }) as Discrepancy,
}

export const idempotencyKind: RecordKind<IdempotencyRecord, 'client' | 'operation' | 'key'> = {
  name: 'idempotency key',
  table: 'idempotency_keys',
  key: ['client', 'operation', 'key'],
  columns: {
    client: text,
    operation: oneOf(Object.keys(operations)),
    key: text,
    fingerprint: text,
    payment_id: text,
    answer: optional(text),
    leased_until: integer,
    expires_at: integer,
  },
  toValues: (row) => [row.client, row.operation, row.key, row.fingerprint, row.paymentId, row.answer, row.leasedUntil, row.expiresAt],
  fromValues: ([client, operation, key, fingerprint, paymentId, answer, leasedUntil, expiresAt]) =>
    ({ client, operation, key, fingerprint, paymentId, answer, leasedUntil, expiresAt }) as IdempotencyRecord,
}
