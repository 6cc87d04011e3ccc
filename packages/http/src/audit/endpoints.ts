import type { AuditAnchor, AuditService } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { problemOf } from '../problems/from-core.ts'
import { representJson } from '../server/answer.ts'
import { type Endpoint, endpoint, json } from '../server/endpoint.ts'
import { instantParameter, limitParameter, pageBody, pageCursor } from '../server/parameters.ts'
import { auditRecordBody, auditVerdictBody } from './bodies.ts'
import { anchorParameter, auditAction, bodies } from './schemas.ts'

const tag = 'Audit'
const textLimit = 400
const verifyDeadlineMs = 120_000

export function auditEndpoints(audit: AuditService): readonly Endpoint[] {
  return [listEndpoint(audit), verifyEndpoint(audit)]
}

const words = (description: string): z.ZodType<string | undefined, string | undefined> =>
  z.string().min(1).max(textLimit).optional().openapi({ description })

function listEndpoint(audit: AuditService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/audit',
    permission: 'audit:read',
    confinement: 'permission',
    summary: 'Security actions and refusals, newest first',
    description: 'Of every client. Refusals that are alike are one record a minute, with their number.',
    tag,
    query: z.strictObject({
      action: auditAction.optional(),
      actor: words('Exactly this client or address'),
      subject: words('Exactly this subject, e.g. `api-key/<id>`'),
      from: instantParameter('Recorded at or after'),
      to: instantParameter('Recorded before'),
      limit: limitParameter,
      cursor: pageCursor('audit', (position) => (/^[1-9]\d{0,14}$/.test(position) ? Number(position) : null)),
    }),
    successes: { 200: { description: 'A page of records', content: json(bodies.records) } },
    problems: ['store-unavailable'],
    handle: async ({ query: { action, actor, subject, from, to, limit, cursor } }, exchange) => {
      const filter = { action: action ?? null, actor: actor ?? null, subject: subject ?? null, from: from ?? null, to: to ?? null }
      const page = await audit.records(filter, cursor ?? null, limit)
      if (page.isErr()) return problemOf(page.error)
      return representJson(exchange, pageBody('audit', page.value, auditRecordBody))
    },
  })
}

function verifyEndpoint(audit: AuditService): Endpoint {
  const verify = sharing((anchor: AuditAnchor | null) => audit.verify(anchor))
  return endpoint({
    method: 'get',
    path: '/audit/verify',
    permission: 'audit:read',
    confinement: 'permission',
    deadlineMs: verifyDeadlineMs,
    summary: 'Follows the chain of the audit log from its beginning, and names each record that does not fit',
    description:
      'Records cut off together with the head show only against an anchor that was noted elsewhere. A long log takes the command line: cbp audit verify.',
    tag,
    query: z.strictObject({ anchor: anchorParameter }),
    successes: { 200: { description: 'What was found; a log that does not fit is an answer too', content: json(bodies.verdict) } },
    problems: ['store-unavailable'],
    handle: async ({ query: { anchor } }, exchange) => {
      const verdict = await verify(anchor ?? null)
      if (verdict.isErr()) return problemOf(verdict.error)
      return representJson(exchange, auditVerdictBody(verdict.value))
    },
  })
}

type Verify = AuditService['verify']

/** Whoever asks the same while an answer is under way gets that one: following the chain costs as much as the log is long. */
function sharing(verify: (anchor: AuditAnchor | null) => ReturnType<Verify>): (anchor: AuditAnchor | null) => ReturnType<Verify> {
  const underWay = new Map<string, ReturnType<Verify>>()
  return (anchor) => {
    const key = anchor === null ? '' : `${anchor.number}:${anchor.mac}`
    const running = underWay.get(key)
    if (running !== undefined) return running
    const begun = verify(anchor)
    underWay.set(key, begun)
    void begun.then(() => underWay.delete(key))
    return begun
  }
}
