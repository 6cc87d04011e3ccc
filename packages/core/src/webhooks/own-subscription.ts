import { err, ok, type Result } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import { maySee, type Viewer } from '../kernel/viewer.ts'
import type { Transaction } from '../transaction.ts'
import type { Subscription } from './subscription.ts'
import type { SubscriptionDisabled, SubscriptionNotFound } from './webhooks-service.ts'

/** Deleted ones, and those of others, look as if they did not exist. */
export function visibleSubscription(found: Subscription | null, viewer: Viewer, id: string): Result<Subscription, SubscriptionNotFound> {
  if (found === null || found.status === 'deleted' || !maySee(viewer, found.client)) return err({ kind: 'subscription-not-found', id })
  return ok(found)
}

export async function findOwn(
  tx: Transaction,
  viewer: Viewer,
  id: Subscription['id'],
): Promise<Result<Subscription, SubscriptionNotFound | StoreUnavailable>> {
  const found = await tx.subscriptions.find({ id })
  return found.isErr() ? err(found.error) : visibleSubscription(found.value, viewer, id)
}

export async function findActive(
  tx: Transaction,
  viewer: Viewer,
  id: Subscription['id'],
): Promise<Result<Subscription, SubscriptionNotFound | SubscriptionDisabled | StoreUnavailable>> {
  const found = await findOwn(tx, viewer, id)
  return found.isOk() && found.value.status !== 'active' ? err({ kind: 'subscription-disabled', id }) : found
}
