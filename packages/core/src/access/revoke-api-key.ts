import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { RecordAudit } from '../audit/index.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Transaction } from '../transaction.ts'
import type { ApiKeyNotFound, RevokeApiKey } from './access-service.ts'
import { type ApiKey, revoked } from './api-key.ts'
import { type AccessWriting, changingKeys, subjectOf } from './issue-secret.ts'
import { findVisible } from './own-api-key.ts'

type Command = Parameters<RevokeApiKey>[0]

export function revokeApiKey(deps: AccessWriting): RevokeApiKey {
  return (command) => new ResultAsync(revoke(deps, command))
}

async function revoke(deps: AccessWriting, command: Command): Promise<Result<ApiKey, ApiKeyNotFound | StoreUnavailable>> {
  const trail = await deps.audit.openTrail()
  if (trail.isErr()) return err(trail.error)
  const ended = await changingKeys<ApiKey, ApiKeyNotFound>(deps, (tx) => endKey(deps, tx, command, trail.value))
  if (ended.isErr() && ended.error.kind === 'api-key-not-found') {
    const { viewer, caller, id } = command
    deps.audit.note({
      action: 'permission.refused',
      actor: viewer.client,
      subject: subjectOf(id),
      requestId: caller.requestId,
      details: { asked: 'to revoke an API key that is not there, or not theirs' },
    })
  }
  return ended
}

async function endKey(
  { clock }: AccessWriting,
  tx: Transaction,
  { id, viewer, reason, caller }: Command,
  record: RecordAudit,
): Promise<Result<ApiKey, ApiKeyNotFound | StoreUnavailable>> {
  const found = await findVisible(tx, viewer, id)
  if (found.isErr() || found.value.revokedAt !== null) return found
  const ended = revoked(found.value, clock.now())
  tx.apiKeys.update(ended)
  const recorded = await record(tx, {
    action: 'api-key.revoked',
    actor: viewer.client,
    subject: subjectOf(id),
    requestId: caller.requestId,
    details: { name: ended.name, owner: ended.owner, reason },
  })
  return recorded.isErr() ? err(recorded.error) : ok(ended)
}
