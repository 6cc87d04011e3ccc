import type { ConsumerCounts, EventsService, RelayCounts } from '@cbp/core'
import { Counter, type Registry } from 'prom-client'
import { ageSeconds, counter, gauge, type ReadInTime } from './instruments.ts'

const relayCounts: readonly (readonly [name: string, count: keyof RelayCounts, help: string])[] = [
  ['confirmed', 'confirmed', 'Events that the broker confirmed'],
  ['refused', 'refused', 'Events that the broker refused'],
  ['blocked', 'blocked', 'Streams blocked after too many refusals'],
  ['pauses', 'pauses', 'Pauses because the broker did not confirm'],
  ['lost_leases', 'lostLeases', 'Leases taken over by another relay'],
]

const consumerCounts: readonly (readonly [name: string, count: keyof ConsumerCounts, help: string])[] = [
  ['applied', 'applied', 'Events that a consumer applied'],
  ['duplicates', 'duplicates', 'Events that a consumer had applied before'],
  ['failures', 'failures', 'Tries of a consumer that failed'],
  ['dead', 'dead', 'Events that a consumer set aside as dead letters'],
]

/** Answers what brings the gauges up to date. */
export function eventMetrics(events: EventsService, now: () => number, registry: Registry, inTime: ReadInTime): () => Promise<void> {
  const waiting = gauge(registry, 'cbp_outbox_backlog_events', 'Events that are committed and not confirmed yet')
  const oldest = gauge(registry, 'cbp_outbox_oldest_event_age_seconds', 'Age of the oldest of them; 0 when there is none')
  const blocked = gauge(registry, 'cbp_outbox_blocked_streams', 'Streams that wait for an operator')
  const dead = gauge(registry, 'cbp_dead_letters', 'Dead letters that wait for an operator')
  for (const [name, count, help] of relayCounts) counter(registry, `cbp_relay_${name}_total`, help, () => events.relayCounts()[count])
  for (const [name, count, help] of consumerCounts) consumerCounter(events, registry, `cbp_consumer_${name}_total`, help, count)
  return async () => {
    const [backlog, letters] = await Promise.all([inTime(events.backlog().unwrapOr(null)), inTime(events.deadCount().unwrapOr(null))])
    if (backlog === null) for (const each of [waiting, oldest, blocked]) each.remove()
    else {
      waiting.set(backlog.events)
      oldest.set(ageSeconds(now(), backlog.oldest))
      blocked.set(backlog.blockedStreams)
    }
    if (letters === null) dead.remove()
    else dead.set(letters)
  }
}

function consumerCounter(events: EventsService, registry: Registry, name: string, help: string, count: keyof ConsumerCounts): void {
  new Counter({
    name,
    help: `${help}, by consumer`,
    labelNames: ['consumer'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [consumer, counts] of events.consumerCounts()) this.inc({ consumer }, counts[count])
    },
  })
}
