import type { AuditFilter } from '@cbp/core'
import type { Dialect } from '../sql/engine.ts'
import { residual } from '../sql/newest-first.ts'
import { columnsOf } from '../sql/record-kind.ts'
import { recordStatements } from '../sql/record-statements.ts'
import { auditHeadKind, auditRecordKind } from './audit-kinds.ts'

/** Which parts of a filter are given. */
export type AuditListing = Readonly<Record<keyof AuditFilter | 'before', boolean>>

export type AuditStatements = Readonly<{
  auditRecords: (given: AuditListing) => string
  auditRecordsAfter: string
  auditHead: string
}>

const select = `SELECT ${columnsOf(auditRecordKind)} FROM audit_records`

export function auditStatements(dialect: Dialect): AuditStatements {
  const limit = dialect.limit('@limit')
  return {
    auditRecords(given) {
      const conditions = [...conditionsOfWhom(given), ...conditionsOfWhen(given)]
      return `${select}${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`} ORDER BY number DESC ${limit}`
    },
    auditRecordsAfter: `${select} WHERE number > @after ORDER BY number ${limit}`,
    auditHead: recordStatements(auditHeadKind).find,
  }
}

/** A subject has fewer records than an actor. */
function conditionsOfWhom({ action, actor, subject }: AuditListing): readonly string[] {
  if (!subject) return [...(actor ? ['actor = @actor'] : []), ...(action ? ['action = @action'] : [])]
  return ['subject = @subject', ...(actor ? [residual('actor', '@actor')] : []), ...(action ? [residual('action', '@action')] : [])]
}

/** Numbers rise with time, but nothing may depend on it: the hours tell where a range of time begins and ends. */
function conditionsOfWhen({ from, to, before }: AuditListing): readonly string[] {
  return [
    ...(from ? ['recorded_at >= @from', 'number >= (SELECT MIN(first_number) FROM audit_hours WHERE [hour] >= @fromHour)'] : []),
    ...(to ? ['recorded_at < @to'] : []),
    // One upper bound is all that an index takes, and a later page begins at the tighter one.
    ...(to && !before ? ['number <= (SELECT MAX(last_number) FROM audit_hours WHERE [hour] <= @toHour)'] : []),
    ...(before ? ['number < @before'] : []),
  ]
}
