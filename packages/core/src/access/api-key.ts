import type { Scope } from '../config/index.ts'
import type { Instant } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
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
