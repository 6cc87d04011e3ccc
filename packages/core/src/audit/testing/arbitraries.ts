import fc from 'fast-check'
import { anyInstant, anyJsonObject, anyText, anyUuid } from '../../kernel/testing/arbitraries.ts'
import { type AuditAction, type AuditHead, type AuditRecord, auditActions } from '../audit-record.ts'

export const anyAuditAction: fc.Arbitrary<AuditAction> = fc.constantFrom(...auditActions)

const anyMac = fc.base64String({ minLength: 44, maxLength: 44 })

/** Of any number: what the records of one log have to be to each other, they are not. */
export const anyAuditRecord: fc.Arbitrary<AuditRecord> = fc.record({
  number: fc.integer({ min: 1, max: 1_000_000 }),
  action: anyAuditAction,
  outcome: fc.constantFrom('done', 'refused'),
  actor: anyText,
  subject: fc.option(anyText),
  requestId: fc.option(fc.oneof(anyUuid, anyText)),
  count: fc.integer({ min: 1, max: 1_000_000 }),
  at: anyInstant,
  details: anyJsonObject,
  recordedAt: anyInstant,
  keyVersion: fc.integer({ min: 1, max: 1000 }),
  mac: anyMac,
})

export const anyAuditHead: fc.Arbitrary<AuditHead> = fc.record({
  id: fc.constant('head'),
  number: fc.integer({ min: 1, max: 1_000_000 }),
  mac: anyMac,
})
