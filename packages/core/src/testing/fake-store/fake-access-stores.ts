import { okAsync } from 'neverthrow'
import type { ApiKeyStore } from '../../access/index.ts'
import type { AuditStore } from '../../audit/index.ts'
import type { DataKeyStore } from '../../sealing/index.ts'
import { pageBefore } from './fake-query-stores.ts'
import { allRows, rowOf } from './fake-records.ts'
import { byId, type RecordTables } from './record-tables.ts'

export function fakeApiKeyStore(tables: RecordTables): ApiKeyStore {
  return {
    apiKey: (id) => okAsync(rowOf(tables.apiKeys, { id })),
    apiKeys(owner, before, limit) {
      const own = allRows(tables.apiKeys).filter((each) => owner === null || each.owner === owner)
      return okAsync(pageBefore(own, before, limit))
    },
    apiKeyUses: (ids) => okAsync(allRows(tables.apiKeyUses).filter(({ keyId }) => ids.includes(keyId))),
    dueForWarning(now, limit) {
      const due = allRows(tables.apiKeys).filter(({ warnAt }) => warnAt !== null && warnAt <= now)
      return okAsync(due.sort((left, right) => (left.warnAt ?? 0) - (right.warnAt ?? 0) || byId(left, right)).slice(0, limit))
    },
  }
}

export function fakeDataKeyStore(tables: RecordTables): DataKeyStore {
  return {
    dataKeys(purpose) {
      const own = allRows(tables.dataKeys).filter((each) => purpose === null || each.purpose === purpose)
      return okAsync(own.sort((left, right) => right.version - left.version || (left.purpose < right.purpose ? -1 : 1)))
    },
  }
}

export function fakeAuditStore(tables: RecordTables): AuditStore {
  return {
    auditRecords({ action, actor, subject, from, to }, before, limit) {
      const matching = allRows(tables.auditRecords).filter(
        (each) =>
          (before === null || each.number < before) &&
          (action === null || each.action === action) &&
          (actor === null || each.actor === actor) &&
          (subject === null || each.subject === subject) &&
          (from === null || each.recordedAt >= from) &&
          (to === null || each.recordedAt < to),
      )
      return okAsync(matching.sort((left, right) => right.number - left.number).slice(0, limit))
    },
    auditRecordsAfter(after, limit) {
      const later = allRows(tables.auditRecords).filter(({ number }) => number > after)
      return okAsync(later.sort((left, right) => left.number - right.number).slice(0, limit))
    },
    auditHead: () => okAsync(rowOf(tables.auditHead, { id: 'head' })),
  }
}
