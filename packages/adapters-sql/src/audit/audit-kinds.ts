import { type AuditHead, type AuditRecord, auditActions } from '@cbp/core'
import { integer, json, oneOf, optional, type RecordKind, text } from '../sql/record-kind.ts'

/** Named as keys, so that one that is added cannot be left out. */
const outcomes: Readonly<Record<AuditRecord['outcome'], true>> = { done: true, refused: true }

export const auditRecordKind: RecordKind<AuditRecord, 'number'> = {
  name: 'audit record',
  table: 'audit_records',
  key: ['number'],
  isAppendOnly: true,
  columns: {
    number: integer,
    action: oneOf(auditActions),
    outcome: oneOf(Object.keys(outcomes)),
    actor: text,
    subject: optional(text),
    request_id: optional(text),
    times: integer,
    happened_at: integer,
    details: json,
    recorded_at: integer,
    key_version: integer,
    mac: text,
  },
  toValues: (row) => [
    row.number,
    row.action,
    row.outcome,
    row.actor,
    row.subject,
    row.requestId,
    row.count,
    row.at,
    row.details,
    row.recordedAt,
    row.keyVersion,
    row.mac,
  ],
  fromValues: ([number, action, outcome, actor, subject, requestId, count, at, details, recordedAt, keyVersion, mac]) =>
    ({ number, action, outcome, actor, subject, requestId, count, at, details, recordedAt, keyVersion, mac }) as AuditRecord,
}

export const auditHeadKind: RecordKind<AuditHead, 'id'> = {
  name: 'audit head',
  table: 'audit_head',
  key: ['id'],
  columns: { id: text, number: integer, mac: text },
  toValues: (row) => [row.id, row.number, row.mac],
  fromValues: ([id, number, mac]) => ({ id, number, mac }) as AuditHead,
}
