import type { AuditRecord, AuditStore } from '@cbp/core'
import type { SqlEngine, SqlRow } from '../sql/engine.ts'
import { given } from '../sql/given.ts'
import { hourOf } from '../sql/hour-of.ts'
import { recordCodec } from '../sql/record-kind.ts'
import { isDamagedRow } from '../sql/stored-json.ts'
import { auditHeadKind, auditRecordKind } from './audit-kinds.ts'
import { auditStatements } from './audit-statements.ts'

const records = recordCodec(auditRecordKind)

/** Deeper than any details that are written. */
const mostLevels = 64
/** Fits no MAC, so that the chain names the record. */
const damagedDetails = '{"damaged":"they are not what was stored"}'

/** Details that cannot be read, because somebody changed them, must not keep the other records from being read. */
function decodeRecord(row: SqlRow): AuditRecord {
  try {
    const record = records.decodeRow(row)
    if (!isDeeper(record.details, mostLevels)) return record
  } catch (error) {
    if (!isDamagedRow(error)) throw error
  }
  return records.decodeRow({ ...row, details: damagedDetails })
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1))
}

/** The committed audit log over any SQL engine. */
export function sqlAuditStore(engine: SqlEngine): AuditStore {
  const sql = auditStatements(engine.dialect)
  const heads = recordCodec(auditHeadKind)
  return {
    auditRecords({ action, actor, subject, from, to }, before, limit) {
      const listing = {
        action: action !== null,
        actor: actor !== null,
        subject: subject !== null,
        from: from !== null,
        to: to !== null,
        before: before !== null,
      }
      const hours = { fromHour: from && hourOf(from), toHour: to && hourOf(to) }
      const parameters = { ...given({ action, actor, subject, from, to, ...hours, before }), limit }
      return engine.read([{ sql: sql.auditRecords(listing), parameters }], ([rows = []]) => rows.map(decodeRecord))
    },
    auditRecordsAfter: (after, limit) =>
      engine.read([{ sql: sql.auditRecordsAfter, parameters: { after, limit } }], ([rows = []]) => rows.map(decodeRecord)),
    auditHead: () =>
      engine.read([{ sql: sql.auditHead, parameters: { id: 'head' } }], ([rows]) => {
        const row = rows?.[0]
        return row === undefined ? null : heads.decodeRow(row)
      }),
  }
}
