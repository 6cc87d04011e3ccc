import { okAsync } from 'neverthrow'
import type { LeasedStream, Outbox, RelayReport, StreamLease, StreamState } from '../../events/index.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { StreamRow, Tables } from './tables.ts'

export function fakeOutbox(tables: Tables): Outbox {
  const { clock, streams, waiting } = tables
  return {
    lease({ limit, leaseMs, eventLimit }) {
      const now = clock.now()
      const leased: LeasedStream[] = []
      for (const row of waiting) {
        if (leased.length >= limit) break
        if (isFree(row, now)) leased.push(leaseStream(row, now + leaseMs, eventLimit))
      }
      return okAsync(leased)
    },
    renew(leases, leaseMs) {
      const now = clock.now()
      const held = leases.filter(
        (lease) => isCurrent(streams.get(lease.stream), lease) && (streams.get(lease.stream)?.leasedUntil ?? 0) > now,
      )
      for (const { stream } of held) (streams.get(stream) as StreamRow).leasedUntil = now + leaseMs
      return okAsync(held)
    },
    pending: (positions, limit) =>
      okAsync(positions.flatMap(({ stream, after }) => streams.get(stream)?.events.slice(after, after + limit) ?? [])),
    record(reports) {
      return okAsync(reports.filter((report) => !recordReport(tables, report)))
    },
    backlog() {
      let events = 0
      let blockedStreams = 0
      let oldest: Instant | null = null
      for (const { events: all, confirmed, blocked } of waiting) {
        events += all.length - confirmed
        if (blocked !== null) blockedStreams += 1
        for (const { occurredAt } of all.slice(confirmed)) oldest = Math.min(oldest ?? occurredAt, occurredAt)
      }
      return okAsync({ events, blockedStreams, oldest })
    },
    stream: (stream) => okAsync(stateOf(streams.get(stream))),
    streams({ blocked }, after, limit) {
      const names = [...streams.keys()].sort().filter((name) => after === null || name > after)
      const states = names.map((name) => stateOf(streams.get(name)) as StreamState)
      return okAsync(states.filter((state) => blocked === null || (state.blocked !== null) === blocked).slice(0, limit))
    },
    unblock(stream) {
      const row = streams.get(stream)
      if (row !== undefined && row.blocked !== null) {
        row.blocked = null
        row.refusals = 0
        row.retryAt = 0
      }
      return okAsync(stateOf(row))
    },
  }
}

function isFree({ leasedUntil, blocked, retryAt }: StreamRow, now: Instant): boolean {
  return (leasedUntil === null || leasedUntil <= now) && blocked === null && retryAt <= now
}

function leaseStream(row: StreamRow, until: Instant, eventLimit: number): LeasedStream {
  row.fence += 1
  row.leasedUntil = until
  const { stream, fence, confirmed, refusals } = row
  return { stream, fence, events: row.events.slice(confirmed, confirmed + eventLimit), refusals }
}

/** L14: an expired lease still counts while nobody has taken the stream since, for its fence is the newest. */
function isCurrent(row: StreamRow | undefined, { fence }: StreamLease): boolean {
  return row !== undefined && row.fence === fence && row.leasedUntil !== null
}

function recordReport({ clock, streams, waiting }: Tables, report: RelayReport): boolean {
  const row = streams.get(report.stream)
  if (row === undefined || !isCurrent(row, report)) return false
  if (report.kind === 'confirmed') {
    confirm(row, report.through)
    if (row.confirmed === row.events.length) waiting.delete(row)
    return true
  }
  row.leasedUntil = null
  if (report.kind === 'released' || report.sequence !== row.events[row.confirmed]?.sequence) return true
  if (report.kind === 'refused') {
    row.refusals += 1
    row.retryAt = report.retryAt
  } else {
    row.blocked = { sequence: report.sequence, reason: report.reason, since: clock.now() }
  }
  return true
}

function confirm(row: StreamRow, through: number): void {
  if (through <= row.confirmed) return
  row.confirmed = Math.min(through, row.events.length)
  row.refusals = 0
  row.retryAt = 0
}

function stateOf(row: StreamRow | undefined): StreamState | null {
  if (row === undefined) return null
  const { stream, events, confirmed, refusals, blocked } = row
  return { stream, last: events.length, confirmed, refusals, blocked }
}
