import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { timestamp } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Transaction } from '../transaction.ts'
import type { ApiKeyNotFound, ApiKeyRevoked, BeyondGrant, IssuedApiKey, RotateApiKey, TooManySecrets } from './access-service.ts'
import { type ApiKey, apiKeyLimits, currentSecret, expiryOf, statusOf, validSecrets, withNewSecret } from './api-key.ts'
import { requireGrant } from './grant.ts'
import { viewerOf } from './identity.ts'
import { type AccessWriting, changingKeys, noteBeyondGrant, type Prepared, prepareSecret, subjectOf } from './issue-secret.ts'
import { findVisible } from './own-api-key.ts'
import type { UnusableRecipient } from './ports/recipient-seal.ts'

type Refusal = ApiKeyNotFound | ApiKeyRevoked | BeyondGrant | TooManySecrets
type Command = Parameters<RotateApiKey>[0]

export function rotateApiKey(deps: AccessWriting): RotateApiKey {
  return (command) => new ResultAsync(rotate(deps, command))
}

async function rotate(
  deps: AccessWriting,
  command: Command,
): Promise<Result<IssuedApiKey, Refusal | UnusableRecipient | StoreUnavailable>> {
  const prepared = await prepareSecret(deps, command.id, command.recipient)
  if (prepared.isErr()) return err(prepared.error)
  const rotated = await changingKeys<ApiKey, Refusal>(deps, (tx) => addSecret(deps, tx, command, prepared.value))
  if (rotated.isErr()) {
    noteRefusal(deps, command, rotated.error)
    return err(rotated.error)
  }
  const key = rotated.value
  return ok({ key, status: statusOf(key, deps.clock.now()), delivery: prepared.value.delivery })
}

async function addSecret(
  { clock }: AccessWriting,
  tx: Transaction,
  { id, grantor, caller }: Command,
  { secret, policy, record, delivery }: Prepared,
): Promise<Result<ApiKey, Refusal | StoreUnavailable>> {
  const found = await findVisible(tx, viewerOf(grantor), id)
  if (found.isErr()) return err(found.error)
  const key = found.value
  if (key.revokedAt !== null) return err({ kind: 'api-key-revoked', id })
  // Who rotates a key gets hold of its secret.
  const granted = requireGrant(grantor, key)
  if (granted.isErr()) return err(granted.error)
  const now = clock.now()
  const valid = validSecrets(key, now)
  if (valid.length >= apiKeyLimits.validSecrets) {
    const nextEnd = Math.min(...valid.map(({ expiresAt }) => expiresAt))
    const retryAfterSeconds = Math.max(1, Math.ceil((nextEnd - now) / 1000))
    return err({ kind: 'too-many-secrets', limit: apiKeyLimits.validSecrets, retryAfterSeconds })
  }
  const { lifetimeDays } = currentSecret(key)
  const expiresAt = expiryOf(lifetimeDays, policy.lifetimeDays, now)
  const rotated = withNewSecret(key, { ...secret, lifetimeDays, createdAt: now, expiresAt }, policy.overlapDays, now)
  tx.apiKeys.update(rotated)
  const recorded = await record(tx, {
    action: 'api-key.rotated',
    actor: grantor.client,
    subject: subjectOf(id),
    requestId: caller.requestId,
    details: { expiresAt: timestamp(expiresAt), validSecrets: rotated.secrets.length, delivery: delivery.kind },
  })
  return recorded.map(() => rotated)
}

function noteRefusal(deps: AccessWriting, { id, grantor, caller }: Command, refusal: Refusal | StoreUnavailable): void {
  const by = { actor: grantor.client, subject: subjectOf(id), requestId: caller.requestId }
  if (refusal.kind === 'beyond-grant') noteBeyondGrant(deps, refusal, { ...by, grantor })
  if (refusal.kind === 'api-key-not-found') {
    deps.audit.note({ ...by, action: 'permission.refused', details: { asked: 'to rotate an API key that is not there, or not theirs' } })
  }
  if (refusal.kind === 'too-many-secrets') deps.audit.note({ ...by, action: 'limit.hit', details: { limit: refusal.kind } })
}
