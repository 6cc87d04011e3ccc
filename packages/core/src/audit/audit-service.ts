import type { ResultAsync } from 'neverthrow'
import type { CancelSignal } from '../kernel/cancel.ts'
import type { Instant } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Page } from '../kernel/page.ts'
import type { AuditAnchor } from './anchor.ts'
import type { AuditDraft, AuditHead, AuditRecord } from './audit-record.ts'
import type { AuditFilter, AuditRecords } from './ports/audit-store.ts'

/** Appends one record within a unit of work, so that the deed and its record are one. Once in each unit. */
export type RecordAudit = (tx: AuditRecords, draft: Omit<AuditDraft, 'count' | 'at' | 'outcome'>) => ResultAsync<void, StoreUnavailable>

/** Loads what the chain needs, ahead of the unit, which may read nothing else. */
export type OpenAuditTrail = () => ResultAsync<RecordAudit, StoreUnavailable>

/** Something that was refused, and changed nothing. */
export type Refusal = Pick<AuditDraft, 'action' | 'actor' | 'subject' | 'requestId' | 'details'>

/**
 * One record does not fit; `number` is where, `reason` what: `out-of-place` was swapped, moved or added, `cut-off` is the
 * first of those missing at the end, `head-changed` means that the end of the chain was noted otherwise. What follows a
 * missing record cannot be checked by itself.
 */
export type AuditFault = Readonly<{
  number: number
  reason: 'changed' | 'missing' | 'out-of-place' | 'unknown-key' | 'cut-off' | 'head-changed'
}>

export type AuditVerdict = Readonly<{
  /** How many records were looked at. */
  checked: number
  head: AuditHead | null
  /** The first ones found, at most 100. */
  faults: readonly AuditFault[]
  /** When the last record was recorded. */
  recordedAt: Instant | null
}>

export type AuditService = Readonly<{
  openTrail: OpenAuditTrail
  /**
   * Takes note of a refusal, at once and without the store: those that are alike are gathered into one record a minute, so
   * that a flood of them does not become a flood of writes. What a process has gathered and not written dies with it.
   */
  note: (refusal: Refusal) => void
  /** Newest first. */
  records: (filter: AuditFilter, before: number | null, limit: number) => ResultAsync<Page<AuditRecord, number>, StoreUnavailable>
  /**
   * Follows the whole chain. `anchor`: a head that was noted elsewhere; without one, records cut off at the very end show only
   * where the head was left behind.
   */
  verify: (anchor: AuditAnchor | null, onProgress?: (checked: number, of: number) => void) => ResultAsync<AuditVerdict, StoreUnavailable>
  /** Background work of an instance: writes down what was gathered. */
  keepNotes: (cancel: CancelSignal) => Promise<void>
}>
