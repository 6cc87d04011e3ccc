import { err, ok } from 'neverthrow'
import { pageOf } from '../kernel/page.ts'
import { maySee, type Viewer } from '../kernel/viewer.ts'
import { visibleSubscription } from './own-subscription.ts'
import type { WebhookStore } from './ports/webhook-store.ts'
import type { WebhooksService } from './webhooks-service.ts'

type Reads = Pick<WebhooksService, 'subscription' | 'subscriptions' | 'delivery' | 'deliveries'>

export function readWebhooks(store: WebhookStore): Reads {
  return {
    subscription: (viewer, id) => store.subscription(id).andThen((found) => visibleSubscription(found, viewer, id)),
    subscriptions: (viewer, before, limit) =>
      store.subscriptions(ownerOf(viewer), before, limit + 1).map((rows) => pageOf(rows, limit, (last) => last.id)),
    delivery: (viewer, id) =>
      store
        .delivery(id)
        .andThen((found) =>
          found !== null && maySee(viewer, found.client) ? ok(found) : err({ kind: 'delivery-not-found' as const, id }),
        ),
    deliveries: (viewer, filter, before, limit) =>
      store.deliveries({ ...filter, client: ownerOf(viewer) }, before, limit + 1).map((rows) => pageOf(rows, limit, (last) => last.id)),
  }
}

function ownerOf({ client, seesAll }: Viewer): string | null {
  return seesAll ? null : client
}
