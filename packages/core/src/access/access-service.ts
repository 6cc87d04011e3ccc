import type { ResultAsync } from 'neverthrow'
import type { Scope } from '../config/index.ts'
import type { Caller } from '../kernel/caller.ts'
import type { CancelSignal } from '../kernel/cancel.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { JsonObject } from '../kernel/json.ts'
import type { Page } from '../kernel/page.ts'
import type { SecretValue } from '../kernel/secret-value.ts'
import type { Viewer } from '../kernel/viewer.ts'
import type { ApiKey, ApiKeyStatus, ApiKeyUse } from './api-key.ts'
import type { Identity, Permission } from './identity.ts'
import type { UnusableRecipient } from './ports/recipient-seal.ts'

/** There is none that the viewer may see. */
export type ApiKeyNotFound = Readonly<{ kind: 'api-key-not-found'; id: string }>
/** A revoked key stays revoked. */
export type ApiKeyRevoked = Readonly<{ kind: 'api-key-revoked'; id: string }>
/** Nobody grants, or gets hold of, more than they may do themselves. */
export type BeyondGrant = Readonly<{ kind: 'beyond-grant'; permissions: readonly Permission[]; configScopes: readonly Scope[] }>
export type TooManyApiKeys = Readonly<{ kind: 'too-many-api-keys'; limit: number }>
/** So many secrets are still valid that another rotation would end one before its time. */
export type TooManySecrets = Readonly<{ kind: 'too-many-secrets'; limit: number; retryAfterSeconds: number }>

export type ApiKeyDetails = Readonly<{
  name: string
  permissions: readonly Permission[]
  configScopes: readonly Scope[] | null
  allowedFrom: readonly string[] | null
  /** `null`: as the policy has it. Never longer than that. */
  lifetimeDays: number | null
}>

/** The only time that the secret is told: as text, or sealed to a recipient. */
export type IssuedApiKey = Readonly<{
  key: ApiKey
  status: ApiKeyStatus
  delivery: Readonly<{ kind: 'plain'; text: SecretValue } | { kind: 'sealed'; jwe: string }>
}>

/** `recipient`: a public key in JWK form that the secret is sealed to; `null`: it is answered as text. */
type Issue = Readonly<{ grantor: Identity; recipient: JsonObject | null; caller: Caller }>

export type CreateApiKey = (
  command: Issue & Readonly<{ details: ApiKeyDetails }>,
) => ResultAsync<IssuedApiKey, BeyondGrant | TooManyApiKeys | UnusableRecipient | StoreUnavailable>

/** The secrets before stay valid for the overlap, or until they expire anyway (L18). */
export type RotateApiKey = (
  command: Issue & Readonly<{ id: Uuid }>,
) => ResultAsync<IssuedApiKey, ApiKeyNotFound | ApiKeyRevoked | BeyondGrant | TooManySecrets | UnusableRecipient | StoreUnavailable>

/** Revoking what is revoked changes nothing. */
export type RevokeApiKey = (
  command: Readonly<{ id: Uuid; viewer: Viewer; reason: string | null; caller: Caller }>,
) => ResultAsync<ApiKey, ApiKeyNotFound | StoreUnavailable>

/** `reason` tells an operator why; whoever sent the key is told only that it is not acceptable. */
export type ApiKeyRefused = Readonly<{ kind: 'api-key-refused'; keyId: Uuid | null; reason: string }>

/** Whether the request comes from one of these CIDR blocks. */
export type IsFrom = (blocks: readonly string[]) => boolean

/**
 * Who holds this key. Answers at once where the key was read a moment ago; what is answered without the store is at most
 * 60 s old (L18). A key with a typing error never reaches the store.
 */
export type AuthenticateApiKey = (
  text: string,
  isFrom: IsFrom,
) => Identity | ApiKeyRefused | StoreUnavailable | Promise<Identity | ApiKeyRefused | StoreUnavailable>

export type ApiKeyWithUse = Readonly<{ key: ApiKey; status: ApiKeyStatus; use: ApiKeyUse | null }>

export type AccessService = Readonly<{
  createApiKey: CreateApiKey
  rotateApiKey: RotateApiKey
  revokeApiKey: RevokeApiKey
  apiKey: (viewer: Viewer, id: Uuid) => ResultAsync<ApiKeyWithUse, ApiKeyNotFound | StoreUnavailable>
  apiKeys: (viewer: Viewer, before: Uuid | null, limit: number) => ResultAsync<Page<ApiKeyWithUse, Uuid>, StoreUnavailable>
  authenticateApiKey: AuthenticateApiKey
  /** Background work of an instance: warns of keys that expire, writes down when keys were used, hears of revocations. */
  watchKeys: (cancel: CancelSignal) => Promise<void>
}>
