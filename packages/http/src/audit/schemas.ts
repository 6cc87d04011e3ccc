import { type AuditAction, type AuditAnchor, type AuditFault, auditActions, parseAnchor } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { pageOf } from '../server/parameters.ts'

const instant = z.iso.datetime()

export const auditAction: z.ZodType<AuditAction, AuditAction> = z.enum(auditActions).openapi('AuditAction')

const reasons: readonly AuditFault['reason'][] = ['changed', 'missing', 'out-of-place', 'unknown-key', 'cut-off', 'head-changed']

const anchorDescription = 'The end of the chain as it was noted elsewhere: `<number>:<MAC>`'

export const anchorParameter: z.ZodType<AuditAnchor | undefined, string | undefined> = z
  .string()
  .transform((text, context): AuditAnchor => {
    const anchor = parseAnchor(text)
    if (anchor !== null) return anchor
    context.addIssue({
      code: 'custom',
      message: 'An anchor is <number>:<MAC>, as a verification told it.',
      params: { code: 'invalid-anchor' },
    })
    return z.NEVER
  })
  .optional()
  .openapi({ type: 'string', description: anchorDescription })

const record: z.ZodType = z
  .strictObject({
    number: z.int().min(1),
    action: auditAction,
    outcome: z.enum(['done', 'refused']),
    actor: z.string().openapi({ description: 'The client, or the address that a refused request came from' }),
    subject: z.string().nullable(),
    requestId: z.string().nullable(),
    count: z.int().min(1).openapi({ description: 'How often it happened since `at`; refusals that are alike are gathered' }),
    at: instant,
    recordedAt: instant,
    details: z.looseObject({}),
    keyVersion: z.int().min(1),
    mac: z.string().openapi({ description: 'HMAC-SHA256 over this record and the MAC before it, in base64' }),
  })
  .openapi('AuditRecord')

const verdict: z.ZodType = z
  .strictObject({
    intact: z.boolean(),
    checked: z.int(),
    anchor: z.string().nullable().openapi({ description: anchorDescription }),
    recordedAt: instant.nullable().openapi({ description: 'When the last record was recorded' }),
    faults: z.array(z.strictObject({ number: z.int(), reason: z.enum(reasons) })).openapi({ description: 'The first hundred' }),
  })
  .openapi('AuditVerdict')

/** The bodies of the audit endpoints. */
export const bodies: Readonly<Record<'records' | 'verdict', z.ZodType>> = {
  records: pageOf(record).openapi('AuditRecordList'),
  verdict,
}
