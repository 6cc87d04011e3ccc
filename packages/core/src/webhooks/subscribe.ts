import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { AuditService } from '../audit/index.ts'
import type { Clock } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { KeyRing } from '../kernel/key-ring.ts'
import type { SecretSource } from '../kernel/secret-source.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { emptyLane } from './lane.ts'
import type { WebhookStore } from './ports/webhook-store.ts'
import type { ForbiddenTarget, WebhookTransport } from './ports/webhook-transport.ts'
import { requireReach, type Subscription, type SubscriptionSecret, subscriptionLimits } from './subscription.ts'
import { newWebhookSecret, sealSecret, type WebhookSecret } from './webhook-secret.ts'
import type { BeyondReach, Subscribe, SubscriptionDetails, TooManySubscriptions, WithSecret } from './webhooks-service.ts'

type Dependencies = Readonly<{
  store: WebhookStore
  transport: WebhookTransport
  unitOfWork: UnitOfWork<Transaction>
  ids: IdSource
  clock: Clock
  keyRing: KeyRing
  secretSource: SecretSource
  audit: Pick<AuditService, 'openTrail'>
}>

type Refusal = ForbiddenTarget | BeyondReach | TooManySubscriptions | StoreUnavailable

export function subscribe(deps: Dependencies): Subscribe {
  return (command) => new ResultAsync(add(deps, command))
}

async function add(deps: Dependencies, { details, reach, caller }: Parameters<Subscribe>[0]): Promise<Result<WithSecret, Refusal>> {
  const { store, transport, unitOfWork, ids, clock } = deps
  const checked = checkDetails(transport, details)
  if (checked.isErr()) return err(checked.error)
  const reachable = requireReach(details.types, reach)
  if (reachable.isErr()) return err(reachable.error)
  const { perClient } = subscriptionLimits
  // Counted outside of the unit: two that race may pass the limit by one, which harms nobody.
  const held = await store.subscriptions(caller.client, null, perClient)
  if (held.isErr()) return err(held.error)
  if (held.value.length >= perClient) return err({ kind: 'too-many-subscriptions', limit: perClient })
  const record = await deps.audit.openTrail()
  if (record.isErr()) return err(record.error)
  const now = clock.now()
  const made = makeSecret(deps)
  const subscription: Subscription = {
    id: ids.next(),
    client: caller.client,
    url: details.url,
    description: details.description,
    types: [...new Set(details.types)],
    filter: details.filter,
    reach,
    status: 'active',
    disabledBecause: null,
    secrets: [made.secret],
    version: 1,
    createdAt: now,
    updatedAt: now,
  }
  const committed = await unitOfWork.run<Subscription, StoreUnavailable>((tx) => {
    tx.subscriptions.insert(subscription)
    tx.lanes.insert(emptyLane(subscription.id))
    const { client: actor, requestId } = caller
    const deed = { action: 'webhook-secret.created', actor, subject: auditSubject(subscription.id), requestId } as const
    return record.value(tx, { ...deed, details: { secret: made.secret.id } }).map(() => subscription)
  })
  return committed.map(() => ({ subscription, secret: made.plaintext }))
}

/** How audit records name a subscription. */
export function auditSubject(id: string): string {
  return `webhook-subscription/${id}`
}

/** A new signing secret and its plaintext, which is told once and kept nowhere. */
export function makeSecret({
  ids,
  clock,
  keyRing,
  secretSource,
}: Pick<Dependencies, 'ids' | 'clock' | 'keyRing' | 'secretSource'>): Readonly<{ secret: SubscriptionSecret; plaintext: WebhookSecret }> {
  const plaintext = newWebhookSecret(secretSource)
  const id = ids.next()
  return { plaintext, secret: { id, sealed: sealSecret(keyRing, id, plaintext), createdAt: clock.now(), expiresAt: null } }
}

/** Hosts hold the shape of their input against `subscriptionLimits`; what is wrong here is a defect of theirs. */
export function checkDetails(transport: WebhookTransport, details: Partial<SubscriptionDetails>): Result<void, ForbiddenTarget> {
  const { url, description, types } = details
  if (types?.length === 0) throw new RangeError('a subscription needs a type')
  if ((description?.length ?? 0) > subscriptionLimits.description) throw new RangeError('the description is too long')
  if (url === undefined) return ok()
  if (url.length > subscriptionLimits.url)
    return err({ kind: 'forbidden-target', reason: `is longer than ${subscriptionLimits.url} characters` })
  const forbidden = transport.check(url)
  return forbidden === null ? ok() : err(forbidden)
}
