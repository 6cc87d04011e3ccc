import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { timestamp } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ApiKeyDetails, BeyondGrant, CreateApiKey, IssuedApiKey, TooManyApiKeys } from './access-service.ts'
import { type ApiKey, apiKeyLimits, currentSecret, expiryOf, nextWarning, statusOf } from './api-key.ts'
import { requireGrant } from './grant.ts'
import { permissions as everyPermission } from './identity.ts'
import { type AccessWriting, noteBeyondGrant, type Prepared, prepareSecret, subjectOf } from './issue-secret.ts'
import type { ApiKeyStore } from './ports/api-key-store.ts'
import type { UnusableRecipient } from './ports/recipient-seal.ts'

type Refusal = BeyondGrant | TooManyApiKeys | UnusableRecipient | StoreUnavailable
type Command = Parameters<CreateApiKey>[0]

export function createApiKey(deps: AccessWriting): CreateApiKey {
  return (command) => new ResultAsync(create(deps, command))
}

async function create(deps: AccessWriting, command: Command): Promise<Result<IssuedApiKey, Refusal>> {
  const { store, unitOfWork, ids, clock, audit } = deps
  const { details, grantor, recipient, caller } = command
  checkDetails(details)
  const granted = requireGrant(grantor, details)
  if (granted.isErr()) {
    noteBeyondGrant(deps, granted.error, { grantor, requestId: caller.requestId, subject: null })
    return err(granted.error)
  }
  // Counted outside of the unit: two that race may pass the limit by one, which harms nobody.
  const held = await countLive(store, grantor.client)
  if (held.isErr()) return err(held.error)
  if (held.value >= apiKeyLimits.perOwner) {
    const refused: TooManyApiKeys = { kind: 'too-many-api-keys', limit: apiKeyLimits.perOwner }
    audit.note({ action: 'limit.hit', actor: grantor.client, subject: null, requestId: caller.requestId, details: { limit: refused.kind } })
    return err(refused)
  }
  const id = ids.next()
  const prepared = await prepareSecret(deps, id, recipient)
  if (prepared.isErr()) return err(prepared.error)
  const { delivery, record } = prepared.value
  const key = newKey(id, command, prepared.value, clock.now())
  const { name, permissions, configScopes, allowedFrom } = key
  const committed = await unitOfWork.run<ApiKey, StoreUnavailable>((tx) => {
    tx.apiKeys.insert(key)
    return record(tx, {
      action: 'api-key.created',
      actor: grantor.client,
      subject: subjectOf(id),
      requestId: caller.requestId,
      details: {
        ...{ name, permissions, configScopes, allowedFrom },
        expiresAt: timestamp(currentSecret(key).expiresAt),
        delivery: delivery.kind,
      },
    }).map(() => key)
  })
  return committed.map(() => ({ key, status: statusOf(key, clock.now()), delivery }))
}

function newKey(id: Uuid, { details, grantor }: Command, { secret, policy }: Prepared, now: number): ApiKey {
  const { name, permissions, configScopes, allowedFrom, lifetimeDays } = details
  const expiresAt = expiryOf(lifetimeDays, policy.lifetimeDays, now)
  return {
    id,
    name,
    owner: grantor.client,
    permissions: [...new Set(permissions)],
    configScopes: configScopes === null ? null : [...new Set(configScopes)],
    allowedFrom: allowedFrom === null ? null : [...new Set(allowedFrom)],
    secrets: [{ ...secret, lifetimeDays, createdAt: now, expiresAt }],
    revokedAt: null,
    warnAt: nextWarning(expiresAt, now),
    version: 1,
    createdAt: now,
    updatedAt: now,
  }
}

const page = 500

/** Those that are not revoked, as far as the limit. */
async function countLive(store: ApiKeyStore, owner: string): Promise<Result<number, StoreUnavailable>> {
  let live = 0
  for (let before: Uuid | null = null; ; ) {
    const rows: Result<readonly ApiKey[], StoreUnavailable> = await store.apiKeys(owner, before, page)
    if (rows.isErr()) return err(rows.error)
    live += rows.value.filter(({ revokedAt }) => revokedAt === null).length
    const last = rows.value.at(-1)
    if (rows.value.length < page || last === undefined || live >= apiKeyLimits.perOwner) return ok(live)
    before = last.id
  }
}

/** Hosts hold the shape of their input against `apiKeyLimits`; what is wrong here is a defect of theirs. */
function checkDetails({ name, permissions, configScopes, allowedFrom, lifetimeDays }: ApiKeyDetails): void {
  if (name.length === 0 || name.length > apiKeyLimits.name) throw new RangeError('the name is empty or too long')
  if (permissions.length === 0 || permissions.some((each) => !everyPermission.includes(each))) {
    throw new RangeError('an API key needs permissions that there are')
  }
  if ((configScopes?.length ?? 0) > apiKeyLimits.configScopes) throw new RangeError('there are too many scopes')
  if ((allowedFrom?.length ?? 0) > apiKeyLimits.allowedFrom) throw new RangeError('there are too many address blocks')
  if (lifetimeDays !== null && !(Number.isInteger(lifetimeDays) && lifetimeDays >= 1))
    throw new RangeError('the lifetime is no number of days')
}
