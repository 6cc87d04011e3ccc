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

const safest = Number.MAX_SAFE_INTEGER
/** The end of the year 9999. */
const latestInstant = 253_402_300_799_999

/**
 * Whoever has the database can write what the store never writes. It comes back as something else that is wrong, so that the
 * chain names the record, instead of nothing being read at all.
 */
function within(column: string, most: number, otherwise: number): string {
  return `CASE WHEN [${column}] BETWEEN 0 AND ${most} THEN [${column}] ELSE ${otherwise} END AS [${column}]`
}

const columns = columnsOf(auditRecordKind)
  .replace('[times]', within('times', safest, -1))
  .replace('[key_version]', within('key_version', safest, -1))
  .replace('[happened_at]', within('happened_at', latestInstant, -1))
  .replace('[recorded_at]', within('recorded_at', latestInstant, -1))

const select = `SELECT ${columns} FROM audit_records`
/** Signed, so that it takes no bound of an index from another condition. */
const inReach = `+number BETWEEN -${safest} AND ${safest}`

export function auditStatements(dialect: Dialect): AuditStatements {
  const limit = dialect.limit('@limit')
  return {
    auditRecords(given) {
      const conditions = [...conditionsOfWhom(given), ...conditionsOfWhen(given), inReach]
      return `${select} WHERE ${conditions.join(' AND ')} ORDER BY number DESC ${limit}`
    },
    auditRecordsAfter: `${select} WHERE number > @after AND number <= ${safest} ORDER BY number ${limit}`,
    auditHead: recordStatements(auditHeadKind).find.replace('[number]', within('number', safest, safest)),
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
