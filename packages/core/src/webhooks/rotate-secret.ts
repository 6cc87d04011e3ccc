import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { AuditService } from '../audit/index.ts'
import type { Clock } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { KeyRing } from '../kernel/key-ring.ts'
import type { SecretSource } from '../kernel/secret-source.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { findOwn } from './own-subscription.ts'
import { auditSubject, makeSecret } from './subscribe.ts'
import { type Subscription, withNewSecret } from './subscription.ts'
import type { RotateSecret, SubscriptionNotFound, WithSecret } from './webhooks-service.ts'

type Dependencies = Readonly<{
  unitOfWork: UnitOfWork<Transaction>
  ids: IdSource
  clock: Clock
  keyRing: KeyRing
  secretSource: SecretSource
  audit: Pick<AuditService, 'openTrail'>
}>

export function rotateSecret(deps: Dependencies): RotateSecret {
  return (command) => new ResultAsync(rotate(deps, command))
}

async function rotate(
  deps: Dependencies,
  { id, viewer, caller }: Parameters<RotateSecret>[0],
): Promise<Result<WithSecret, SubscriptionNotFound | StoreUnavailable>> {
  const record = await deps.audit.openTrail()
  if (record.isErr()) return err(record.error)
  const { plaintext, secret } = makeSecret(deps)
  const { client: actor, requestId } = caller
  const deed = { action: 'webhook-secret.rotated', actor, subject: auditSubject(id), requestId, details: { secret: secret.id } } as const
  const replace = async (tx: Transaction): Promise<Result<Subscription, SubscriptionNotFound | StoreUnavailable>> => {
    // Together, because each question may be a round trip; where it is refused, nothing is recorded.
    const [found, recorded] = await Promise.all([findOwn(tx, viewer, id), record.value(tx, deed)])
    if (found.isErr()) return err(found.error)
    if (recorded.isErr()) return err(recorded.error)
    const rotated = withNewSecret(found.value, secret, deps.clock.now())
    tx.subscriptions.update(rotated)
    return ok(rotated)
  }
  const committed = await deps.unitOfWork.run((tx) => new ResultAsync(replace(tx)))
  return committed.map(({ value }) => ({ subscription: value, secret: plaintext }))
}
