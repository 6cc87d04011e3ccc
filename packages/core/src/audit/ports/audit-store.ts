import type { ResultAsync } from 'neverthrow'
import type { Instant } from '../../kernel/clock.ts'
import type { StoreUnavailable } from '../../kernel/failures.ts'
import type { Records } from '../../kernel/records.ts'
import type { AuditAction, AuditHead, AuditRecord } from '../audit-record.ts'

/** The audit log inside a unit of work. Records are inserted, never updated. */
export type AuditRecords = Readonly<{
  auditRecords: Records<AuditRecord, 'number'>
  auditHead: Records<AuditHead, 'id'>
}>

export type AuditFilter = Readonly<{
  action: AuditAction | null
  actor: string | null
  subject: string | null
  /** Recorded at or after. */
  from: Instant | null
  /** Recorded before. */
  to: Instant | null
}>

/** Port: the committed audit log, read outside of units of work. */
export interface AuditStore {
  /** Newest first, at most `limit`, all numbered below `before` where it is given. */
  auditRecords(filter: AuditFilter, before: number | null, limit: number): ResultAsync<readonly AuditRecord[], StoreUnavailable>
  /** By number, at most `limit`, all numbered above `after`. */
  auditRecordsAfter(after: number, limit: number): ResultAsync<readonly AuditRecord[], StoreUnavailable>
  auditHead(): ResultAsync<AuditHead | null, StoreUnavailable>
}
