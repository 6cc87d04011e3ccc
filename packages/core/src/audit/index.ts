export type { AuditAction, AuditDraft, AuditHead, AuditRecord } from './audit-record.ts'
export type { AuditFault, AuditService, AuditVerdict, OpenAuditTrail, RecordAudit, Refusal } from './audit-service.ts'
export type { AuditFilter, AuditRecords, AuditStore } from './ports/audit-store.ts'
