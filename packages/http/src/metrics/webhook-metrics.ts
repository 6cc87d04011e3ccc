import type { WebhookCounts, WebhooksService } from '@cbp/core'
import { ResultAsync } from 'neverthrow'
import type { Registry } from 'prom-client'
import { ageSeconds, counter, gauge, type ReadInTime } from './instruments.ts'

const counts: readonly (readonly [name: string, count: keyof WebhookCounts, help: string])[] = [
  ['attempts', 'attempts', 'Attempts to deliver webhooks'],
  ['delivered', 'delivered', 'Webhooks that were delivered'],
  ['failed', 'failed', 'Attempts that failed'],
  ['exhausted', 'exhausted', 'Webhooks given up after the last attempt'],
  ['cancelled', 'cancelled', 'Webhooks cancelled with their subscription'],
  ['disabled', 'disabled', 'Subscriptions disabled by this instance'],
  ['inbound_refused', 'refused', 'Inbound webhooks that were refused'],
]

/** Answers what brings the gauges up to date. */
export function webhookMetrics(webhooks: WebhooksService, now: () => number, registry: Registry, inTime: ReadInTime): () => Promise<void> {
  const backlog = gauge(registry, 'cbp_webhook_backlog', 'Webhooks that wait to be delivered')
  const oldest = gauge(
    registry,
    'cbp_webhook_oldest_due_age_seconds',
    'For how long something has been due that nobody sends; 0 when nothing is. What waits for a paused endpoint does not count',
  )
  const disabled = gauge(registry, 'cbp_webhook_disabled_subscriptions', 'Subscriptions that are disabled')
  for (const [name, count, help] of counts) counter(registry, `cbp_webhook_${name}_total`, help, () => webhooks.counts()[count])
  return async () => {
    const read = await inTime(ResultAsync.combine([webhooks.backlog(), webhooks.overdueSince()]).unwrapOr(null))
    if (read === null) {
      for (const each of [backlog, oldest, disabled]) each.remove()
      return
    }
    const [waiting, overdueSince] = read
    backlog.set(waiting.pending)
    oldest.set(ageSeconds(now(), overdueSince))
    disabled.set(waiting.disabledSubscriptions)
  }
}
