import fc from 'fast-check'
import { anyInstant, anyJsonObject, anyText, anyUuid } from '../../kernel/testing/arbitraries.ts'
import type { AuditAction, AuditHead, AuditRecord } from '../audit-record.ts'

/** Named as keys, so that one that is added cannot be left out. */
const actions: Readonly<Record<AuditAction, true>> = {
  'api-key.created': true,
  'api-key.rotated': true,
  'api-key.revoked': true,
  'api-key.refused': true,
  'token.refused': true,
  'permission.refused': true,
  'scope.refused': true,
  'limit.hit': true,
  'signature.refused': true,
  'secret.revealed': true,
  'webhook-secret.created': true,
  'webhook-secret.rotated': true,
  'key-ring.resealed': true,
}

export const anyAuditAction: fc.Arbitrary<AuditAction> = fc.constantFrom(...(Object.keys(actions) as AuditAction[]))

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
