import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Stream } from '../events/index.ts'
import { type Clock, type Instant, timestamp } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource, Uuid } from '../kernel/ids.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { type ApiKey, currentSecret, daysLeft, nextWarning } from './api-key.ts'
import type { ApiKeyStore } from './ports/api-key-store.ts'

type Dependencies = Readonly<{ store: ApiKeyStore; unitOfWork: UnitOfWork<Transaction>; ids: IdSource; clock: Clock }>

const page = 100

/**
 * Publishes the warnings that are due, each in the unit that says when the next one is: so each is published once, by
 * whichever instance is first. Of several that were missed only the last is published: the others are no longer true.
 */
export async function warnOfExpiry(deps: Dependencies): Promise<void> {
  for (let warned = page; warned === page; ) {
    const due = await deps.store.dueForWarning(deps.clock.now(), page)
    if (due.isErr()) return
    warned = 0
    for (const { id } of due.value) {
      const unit = await deps.unitOfWork.run((tx) => new ResultAsync(warn(deps, tx, id)))
      // The rest is still due the next time.
      if (unit.isErr()) return
      if (unit.value.value) warned += 1
    }
  }
}

/** Answers whether there was something to warn of. */
async function warn({ ids, clock }: Dependencies, tx: Transaction, id: Uuid): Promise<Result<boolean, StoreUnavailable>> {
  const found = await tx.apiKeys.find({ id })
  if (found.isErr()) return err(found.error)
  const key = found.value
  const now = clock.now()
  if (key === null || key.warnAt === null || key.warnAt > now) return ok(false)
  tx.apiKeys.update({ ...key, warnAt: nextWarning(currentSecret(key).expiresAt, now) })
  appendAlert(tx, ids.next(), key, now)
  return ok(true)
}

function appendAlert({ outbox }: Transaction, id: Uuid, key: ApiKey, now: Instant): void {
  const { expiresAt } = currentSecret(key)
  const isOver = expiresAt <= now
  const details = {
    subject: isOver ? 'api-key-expired' : 'api-key-expiring',
    apiKey: key.id,
    name: key.name,
    client: key.owner,
    expiresAt: timestamp(expiresAt),
    daysLeft: daysLeft(expiresAt, now),
  }
  const severity = isOver ? 'ERROR' : 'WARNING'
  outbox.append({
    id,
    stream: 'system' as Stream,
    event: { type: 'SYSTEM_ALERT', payload: { component: 'security', details, severity, timestamp: timestamp(now) } },
    occurredAt: now,
    traceparent: null,
  })
}
