import { canonicalJson } from '../kernel/json.ts'
import type { Mac } from '../kernel/mac.ts'
import type { AuditRecord } from './audit-record.ts'

/** What stands in the first record for the MAC before it. */
export const beforeFirst = ''

/**
 * What the MAC of a record covers, in UTF-8: this line, then an object of the MAC before it and everything that the record
 * holds but its own MAC, as RFC 8785 has it: no white space, members sorted by UTF-16 code units, numbers and strings as
 * ECMAScript's JSON.stringify writes them. Where RFC 8785 refuses a lone surrogate, its escape stands here.
 */
function canonicalRecord(previousMac: string, record: Omit<AuditRecord, 'mac'>): string {
  const { number, action, outcome, actor, subject, requestId, count, at, details, recordedAt, keyVersion } = record
  const covered = { previousMac, number, action, outcome, actor, subject, requestId, count, at, details, recordedAt, keyVersion }
  return `cbp-audit-record-1\n${canonicalJson(covered)}`
}

export function macOf(mac: Mac, keyBase64: string, previousMac: string, record: Omit<AuditRecord, 'mac'>): string {
  return mac.hmacSha256(keyBase64, canonicalRecord(previousMac, record))
}
