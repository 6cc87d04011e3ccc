import type { Scope } from '../config/index.ts'
import type { Instant } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import { maySee, type Viewer } from '../kernel/viewer.ts'
import type { Permission } from './identity.ts'

/** One secret of a key, as it is stored: one way, under a pepper that the key ring seals. */
export type ApiKeySecret = Readonly<{
  /** HMAC-SHA256 of the secret under the pepper, in base64. */
  mac: string
  /** Version of the data key `api-key-pepper` that it was made with. */
  pepper: number
  /** What was asked for when the key was made, and counts for every later secret too; `null`: as the policy has it. */
  lifetimeDays: number | null
  createdAt: Instant
  expiresAt: Instant
}>

/** A lineage of secrets under one id and one client, `api-key|<id>`, which survive its rotation. */
export type ApiKey = Readonly<{
  id: Uuid
  name: string
  /** The client that made it. */
  owner: string
  permissions: readonly Permission[]
  /** `null`: every scope. */
  configScopes: readonly Scope[] | null
  /** CIDR blocks that it may be used from; `null`: from anywhere. */
  allowedFrom: readonly string[] | null
  /** Current first. Older ones are valid until they expire. */
  secrets: readonly ApiKeySecret[]
  revokedAt: Instant | null
  /** When the next warning that the current secret expires is due; `null`: none is to come. */
  warnAt: Instant | null
  version: number
  createdAt: Instant
  updatedAt: Instant
}>

/** When a key was used last, to the minute: written lazily, apart from the key itself. */
export type ApiKeyUse = Readonly<{ keyId: Uuid; lastUsedAt: Instant }>

/** Lengths and counts; hosts hold their input against them. */
export const apiKeyLimits: Readonly<{ name: number; perOwner: number; configScopes: number; allowedFrom: number; validSecrets: number }> = {
  name: 100,
  perOwner: 1000,
  configScopes: 32,
  allowedFrom: 32,
  validSecrets: 5,
}

/** `expiring`: within 14 days; what is `expired` can still be rotated, what is `revoked` cannot. */
export type ApiKeyStatus = 'active' | 'expiring' | 'expired' | 'revoked'

const dayMs = 86_400_000
const warningDays = [14, 7, 1] as const

/** Under which a key acts, for as long as its lineage lasts. */
export function clientOf({ id }: Pick<ApiKey, 'id'>): string {
  return `api-key|${id}`
}

/** Whoever made a key sees it, and it sees itself. */
export function maySeeKey(viewer: Viewer, key: ApiKey): boolean {
  return maySee(viewer, key.owner) || viewer.client === clientOf(key)
}

export function currentSecret({ secrets }: ApiKey): ApiKeySecret {
  const current = secrets[0]
  if (current === undefined) throw new Error('an API key has no secret')
  return current
}

export function validSecrets({ secrets }: Pick<ApiKey, 'secrets'>, now: Instant): readonly ApiKeySecret[] {
  return secrets.filter(({ expiresAt }) => expiresAt > now)
}

export function statusOf(key: ApiKey, now: Instant): ApiKeyStatus {
  if (key.revokedAt !== null) return 'revoked'
  if (validSecrets(key, now).length === 0) return 'expired'
  return currentSecret(key).expiresAt - now <= warningDays[0] * dayMs ? 'expiring' : 'active'
}

/** When the secret ends that is made now: what was asked for, but never later than the policy has it. */
export function expiryOf(lifetimeDays: number | null, policyDays: number, now: Instant): Instant {
  return now + Math.min(lifetimeDays ?? policyDays, policyDays) * dayMs
}

/** The new secret is current at once; those before stay valid for the overlap, or until they end anyway (L18). */
export function withNewSecret(key: ApiKey, secret: ApiKeySecret, overlapDays: number, now: Instant): ApiKey {
  const older = validSecrets(key, now).map((each) => ({ ...each, expiresAt: Math.min(each.expiresAt, now + overlapDays * dayMs) }))
  return {
    ...key,
    secrets: [secret, ...older],
    warnAt: nextWarning(secret.expiresAt, now),
    version: key.version + 1,
    updatedAt: now,
  }
}

export function revoked(key: ApiKey, now: Instant): ApiKey {
  return { ...key, revokedAt: now, warnAt: null, version: key.version + 1, updatedAt: now }
}

/** The next of the warnings at 14, 7 and 1 days, and at the end itself, that is still to come. */
export function nextWarning(expiresAt: Instant, now: Instant): Instant | null {
  return [...warningDays.map((days) => expiresAt - days * dayMs), expiresAt].find((at) => at > now) ?? null
}

/** Whole days, the one begun included. */
export function daysLeft(expiresAt: Instant, now: Instant): number {
  return Math.max(0, Math.ceil((expiresAt - now) / dayMs))
}
