import type { AuditStore } from '@cbp/core'
import type { SqlEngine } from '../sql/engine.ts'
import { given } from '../sql/given.ts'
import { hourOf } from '../sql/hour-of.ts'
import { recordCodec } from '../sql/record-kind.ts'
import { auditHeadKind, auditRecordKind } from './audit-kinds.ts'
import { auditStatements } from './audit-statements.ts'

/** The committed audit log over any SQL engine. */
export function sqlAuditStore(engine: SqlEngine): AuditStore {
  const sql = auditStatements(engine.dialect)
  const records = recordCodec(auditRecordKind)
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
      return engine.read([{ sql: sql.auditRecords(listing), parameters }], ([rows = []]) => rows.map(records.decodeRow))
    },
    auditRecordsAfter: (after, limit) =>
      engine.read([{ sql: sql.auditRecordsAfter, parameters: { after, limit } }], ([rows = []]) => rows.map(records.decodeRow)),
    auditHead: () =>
      engine.read([{ sql: sql.auditHead, parameters: { id: 'head' } }], ([rows]) => {
        const row = rows?.[0]
        return row === undefined ? null : heads.decodeRow(row)
      }),
  }
}
