import { type AuditRecord, type AuditVerdict, formatAnchor, timestamp } from '@cbp/core'

type Body = Readonly<Record<string, unknown>>

/** The wire form of an audit record; the command line prints the same. */
export function auditRecordBody(record: AuditRecord): Body {
  const { number, action, outcome, actor, subject, requestId, count, at, recordedAt, details, keyVersion, mac } = record
  const times = { at: timestamp(at), recordedAt: timestamp(recordedAt) }
  return { number, action, outcome, actor, subject, requestId, count, ...times, details, keyVersion, mac }
}

/** The wire form of what following the chain has found; `anchor` is what to note elsewhere for the next time. */
export function auditVerdictBody({ checked, head, faults, recordedAt }: AuditVerdict): Body {
  return {
    intact: faults.length === 0,
    checked,
    anchor: head === null ? null : formatAnchor(head),
    recordedAt: recordedAt === null ? null : timestamp(recordedAt),
    faults,
  }
}
