import type { Backlog, Core } from '@cbp/core'
import { Counter, Gauge, type Registry } from 'prom-client'
import { requestDeadlines } from '../server/deadline.ts'
import type { Lifecycle } from '../server/lifecycle.ts'

const backlogDeadlineMs = 1_000

/** What core tells about itself, asked for when the metrics are scraped. */
export function coreMetrics(core: Core, lifecycle: Lifecycle, now: () => number, registry: Registry): () => Promise<string> {
  const registers = [registry]
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers })
  const waiting = gauge('cbp_outbox_backlog_events', 'Events that are committed and not confirmed yet')
  const oldest = gauge('cbp_outbox_oldest_event_age_seconds', 'Age of the oldest of them; 0 when there is none')
  const blocked = gauge('cbp_outbox_blocked_streams', 'Streams that wait for an operator')
  const watchers = gauge('cbp_watchers', 'Open watches and long polls')
  const followed = gauge('cbp_followed_revision', 'The revision up to which this instance follows the store')
  relayCounters(core, registry)
  const deadlines = requestDeadlines(100)

  return async () => {
    const read = core.events.backlog().unwrapOr(null)
    const backlog = await deadlines.within<Backlog | null>(read, backlogDeadlineMs, () => null)
    // A store that does not answer leaves a gap in the series, which is the truth.
    if (backlog === null) for (const each of [waiting, oldest, blocked]) each.remove()
    else {
      waiting.set(backlog.events)
      oldest.set(backlog.oldest === null ? 0 : Math.max(0, now() - backlog.oldest) / 1000)
      blocked.set(backlog.blockedStreams)
    }
    watchers.set(lifecycle.watchers())
    followed.set(core.config.followed()?.revision ?? 0)
    return registry.metrics()
  }
}

function relayCounters(core: Core, registry: Registry): void {
  const counter = (name: string, help: string, count: () => number): Counter =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(count())
      },
    })
  counter('cbp_relay_confirmed_total', 'Events that the broker confirmed', () => core.events.relayCounts().confirmed)
  counter('cbp_relay_refused_total', 'Events that the broker refused', () => core.events.relayCounts().refused)
  counter('cbp_relay_blocked_total', 'Streams blocked after too many refusals', () => core.events.relayCounts().blocked)
  counter('cbp_relay_pauses_total', 'Pauses because the broker did not confirm', () => core.events.relayCounts().pauses)
  counter('cbp_relay_lost_leases_total', 'Leases taken over by another relay', () => core.events.relayCounts().lostLeases)
}
