import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { AuditService, RecordAudit } from '../audit/index.ts'
import { type ReadTunable, tunables } from '../config/index.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Digest } from '../kernel/digest.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource, Uuid } from '../kernel/ids.ts'
import type { JsonObject } from '../kernel/json.ts'
import type { Mac } from '../kernel/mac.ts'
import type { SecretSource } from '../kernel/secret-source.ts'
import { secretValue } from '../kernel/secret-value.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { DataKeys } from '../sealing/index.ts'
import type { Transaction } from '../transaction.ts'
import type { BeyondGrant, IssuedApiKey } from './access-service.ts'
import type { ApiKeySecret } from './api-key.ts'
import type { Identity } from './identity.ts'
import { type DeploymentEnvironment, formatKeyText, newKeySecret } from './key-text.ts'
import type { ApiKeyStore } from './ports/api-key-store.ts'
import type { RecipientSeal, UnusableRecipient } from './ports/recipient-seal.ts'

export type AccessWriting = Readonly<{
  store: ApiKeyStore
  unitOfWork: UnitOfWork<Transaction>
  recipientSeal: RecipientSeal
  dataKeys: DataKeys
  audit: Pick<AuditService, 'openTrail' | 'note'>
  tunable: ReadTunable
  environment: DeploymentEnvironment
  ids: IdSource
  clock: Clock
  digest: Digest
  mac: Mac
  secretSource: SecretSource
  /** Tells every instance that a key has changed. */
  onChanged: () => void
}>

/** Everything that a unit needs which issues a secret: it may read nothing but rows. */
export type Prepared = Readonly<{
  secret: Pick<ApiKeySecret, 'mac' | 'pepper'>
  delivery: IssuedApiKey['delivery']
  record: RecordAudit
  policy: Readonly<{ lifetimeDays: number; overlapDays: number }>
}>

/** Makes a secret for the key `id`, sealed already: a recipient that does not serve is met before anything is written. */
export async function prepareSecret(
  deps: AccessWriting,
  id: Uuid,
  recipient: JsonObject | null,
): Promise<Result<Prepared, UnusableRecipient | StoreUnavailable>> {
  const { dataKeys, audit, digest, environment, mac, recipientSeal, secretSource, tunable } = deps
  const [pepper, trail, lifetimeDays, overlapDays] = await Promise.all([
    dataKeys.current('api-key-pepper'),
    audit.openTrail(),
    tunable(tunables.apiKeyLifetimeDays),
    tunable(tunables.apiKeyOverlapDays),
  ])
  if (pepper.isErr()) return err(pepper.error)
  if (trail.isErr()) return err(trail.error)
  const secret = newKeySecret(secretSource)
  const text = secretValue(formatKeyText(digest, { environment, id, secret }))
  const { version, keyBase64 } = pepper.value
  const prepared = {
    secret: { mac: keyMac(mac, keyBase64.reveal(), id, secret), pepper: version },
    record: trail.value,
    policy: { lifetimeDays, overlapDays },
  }
  if (recipient === null) return ok({ ...prepared, delivery: { kind: 'plain', text } })
  const sealed = await recipientSeal.seal(recipient, text)
  return sealed.map((jwe) => ({ ...prepared, delivery: { kind: 'sealed' as const, jwe } }))
}

/** What is stored of a secret; it fits no other key. */
export function keyMac(mac: Mac, pepperBase64: string, id: Uuid, secret: string): string {
  return mac.hmacSha256(pepperBase64, `${id}.${secret}`)
}

/** Runs a unit and tells every instance, also where its outcome is not known: it may have taken effect. */
export function changingKeys<T, E extends { kind: string }>(
  { unitOfWork, onChanged }: AccessWriting,
  work: (tx: Transaction) => Promise<Result<T, E | StoreUnavailable>>,
): ResultAsync<T, E | StoreUnavailable> {
  return unitOfWork
    .run((tx) => new ResultAsync(work(tx)))
    .map(({ value }) => {
      onChanged()
      return value
    })
    .mapErr((failure) => {
      if (failure.kind === 'store-unavailable') onChanged()
      return failure
    })
}

/** Tells the audit log that somebody tried to hand on what they do not hold. */
export function noteBeyondGrant(
  { audit }: Pick<AccessWriting, 'audit'>,
  { permissions, configScopes }: BeyondGrant,
  by: Readonly<{ grantor: Identity; requestId: string; subject: string | null }>,
): void {
  audit.note({
    action: permissions.length > 0 ? 'permission.refused' : 'scope.refused',
    actor: by.grantor.client,
    subject: by.subject,
    requestId: by.requestId,
    details: { asked: 'to grant an API key', permissions, configScopes },
  })
}

export function subjectOf(id: Uuid): string {
  return `api-key/${id}`
}
