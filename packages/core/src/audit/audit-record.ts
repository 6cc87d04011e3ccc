import type { Instant } from '../kernel/clock.ts'
import type { JsonObject } from '../kernel/json.ts'

/** What was done or refused. */
export const auditActions = [
  'api-key.created',
  'api-key.rotated',
  'api-key.revoked',
  'api-key.refused',
  'token.refused',
  'permission.refused',
  'scope.refused',
  'limit.hit',
  'signature.refused',
  'secret.revealed',
  'webhook-secret.created',
  'webhook-secret.rotated',
  'key-ring.resealed',
] as const

export type AuditAction = (typeof auditActions)[number]

/** What a record tells, before it has its place in the chain. */
export type AuditDraft = Readonly<{
  action: AuditAction
  outcome: 'done' | 'refused'
  /** Client, or the address that a refused request came from. */
  actor: string
  /** What it was done to, e.g. `api-key/<id>`; `null` where there is nothing. */
  subject: string | null
  requestId: string | null
  /** How often it happened since `at`; refusals are gathered for a while, everything else counts 1. */
  count: number
  at: Instant
  /** Masked; never a secret. */
  details: JsonObject
}>

/**
 * One record of the append-only log, chained to the one before: its MAC is HMAC-SHA256 under the data key `audit-chain` of
 * the version named, over the MAC before it and everything else that it holds, in canonical form. So a record that was
 * changed, removed or swapped no longer fits, and none can be made without the key.
 */
export type AuditRecord = AuditDraft &
  Readonly<{
    /** 1, 2, 3 … without gaps. */
    number: number
    recordedAt: Instant
    keyVersion: number
    /** Base64. */
    mac: string
  }>

/** The end of the chain; one row. */
export type AuditHead = Readonly<{ id: 'head'; number: number; mac: string }>
