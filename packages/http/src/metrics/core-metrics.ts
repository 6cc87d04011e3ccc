import type { Core } from '@cbp/core'
import type { Registry } from 'prom-client'
import { requestDeadlines } from '../server/deadline.ts'
import type { Lifecycle } from '../server/lifecycle.ts'
import { eventMetrics } from './event-metrics.ts'
import { gauge, readingInTime } from './instruments.ts'
import { paymentMetrics } from './payment-metrics.ts'
import { webhookMetrics } from './webhook-metrics.ts'

/** What core tells about itself, asked for when the metrics are scraped. */
export function coreMetrics(core: Core, lifecycle: Lifecycle, now: () => number, registry: Registry): () => Promise<string> {
  const watchers = gauge(registry, 'cbp_watchers', 'Open watches and long polls')
  const followed = gauge(registry, 'cbp_followed_revision', 'The revision up to which this instance follows the store')
  const inTime = readingInTime(requestDeadlines(100))
  const refreshes = [
    eventMetrics(core.events, now, registry, inTime),
    paymentMetrics(core.payments, registry, inTime),
    webhookMetrics(core.webhooks, now, registry, inTime),
  ]
  return async () => {
    await Promise.all(refreshes.map((refresh) => refresh()))
    watchers.set(lifecycle.watchers())
    followed.set(core.config.followed()?.revision ?? 0)
    return registry.metrics()
  }
}
