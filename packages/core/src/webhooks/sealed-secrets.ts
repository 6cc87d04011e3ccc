import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import { pageOf } from '../kernel/page.ts'
import type { SealedRows, SealedSecret } from '../sealing/index.ts'
import type { WebhookRecords, WebhookStore } from './ports/webhook-store.ts'
import type { SubscriptionSecret } from './subscription.ts'
import { sealContext } from './webhook-secret.ts'

/** The signing secrets of every subscription, disabled ones included. To its owner a subscription sealed again is the same: it keeps its version. */
export function sealedSubscriptionSecrets(store: WebhookStore): SealedRows<WebhookRecords> {
  return {
    name: 'webhook-secret',
    rows: (after, limit) =>
      store
        .subscriptions(null, after as Uuid | null, limit + 1)
        .map((found) => pageOf(found, limit, ({ id }): string => id))
        .map(({ items, next }) => ({ items: items.map(({ id, secrets }) => ({ id, secrets: secrets.map(sealedSecret) })), next })),
    replace: (tx, id, again) => new ResultAsync(replace(tx, id as Uuid, again)),
  }
}

async function replace(tx: WebhookRecords, id: Uuid, again: (secret: SealedSecret) => string): Promise<Result<void, StoreUnavailable>> {
  const found = await tx.subscriptions.find({ id })
  if (found.isErr()) return err(found.error)
  if (found.value === null) return ok()
  const secrets = found.value.secrets.map((secret) => ({ ...secret, sealed: again(sealedSecret(secret)) }))
  tx.subscriptions.update({ ...found.value, secrets })
  return ok()
}

function sealedSecret({ id, sealed }: SubscriptionSecret): SealedSecret {
  return { sealed, context: sealContext(id) }
}
