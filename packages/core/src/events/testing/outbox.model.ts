import type { Instant } from '../../kernel/clock.ts'
import type { SequencedEvent, Stream } from '../event.ts'
import type { Backlog, LeasedStream, RelayReport, StreamLease, StreamState } from '../ports/outbox.ts'

/** What a naive reading of the port's laws knows of one stream. */
export type ModelStream = {
  readonly stream: Stream
  readonly events: readonly SequencedEvent[]
  readonly confirmed: number
  readonly refusals: number
  readonly retryAt: Instant
  readonly blocked: StreamState['blocked']
  readonly fence: number
  /** `null`: never leased, or given back. */
  readonly until: Instant | null
}

/** All streams by name; every step answers a new model. */
export type OutboxModel = readonly ModelStream[]

export function modelAppend(model: OutboxModel, event: SequencedEvent): OutboxModel {
  const known = model.some(({ stream }) => stream === event.stream)
  const fresh: ModelStream = {
    stream: event.stream,
    events: [],
    confirmed: 0,
    refusals: 0,
    retryAt: 0,
    blocked: null,
    fence: 0,
    until: null,
  }
  const all = known ? model : [...model, fresh].toSorted((left, right) => (left.stream < right.stream ? -1 : 1))
  return change(all, event.stream, (row) => ({ ...row, events: [...row.events, event] }))
}

export function modelStream(model: OutboxModel, stream: Stream): ModelStream | null {
  return model.find((row) => row.stream === stream) ?? null
}

/** The streams that may be leased now. */
export function modelFree(model: OutboxModel, now: Instant): readonly ModelStream[] {
  return model.filter(
    ({ events, confirmed, until, blocked, retryAt }) =>
      confirmed < events.length && (until === null || until <= now) && blocked === null && retryAt <= now,
  )
}

export function modelLease(model: OutboxModel, { stream, fence }: LeasedStream, until: Instant): OutboxModel {
  return change(model, stream, (row) => ({ ...row, fence, until }))
}

function modelIsCurrent(model: OutboxModel, { stream, fence }: StreamLease): boolean {
  const row = modelStream(model, stream)
  return row !== null && row.fence === fence && row.until !== null
}

export function modelRenew(model: OutboxModel, lease: StreamLease, now: Instant, leaseMs: number): OutboxModel | null {
  const held = modelIsCurrent(model, lease) && (modelStream(model, lease.stream)?.until ?? 0) > now
  return held ? change(model, lease.stream, (row) => ({ ...row, until: now + leaseMs })) : null
}

/** `null`: refused by the fence. */
export function modelRecord(model: OutboxModel, report: RelayReport, now: Instant): OutboxModel | null {
  if (!modelIsCurrent(model, report)) return null
  return change(model, report.stream, (row): ModelStream => {
    if (report.kind === 'confirmed') {
      const through = Math.min(report.through, row.events.length)
      return through <= row.confirmed ? row : { ...row, confirmed: through, refusals: 0, retryAt: 0 }
    }
    const released = { ...row, until: null }
    if (report.kind === 'released') return released
    // Only the first unconfirmed event can be refused or blocked.
    if (row.events[row.confirmed]?.sequence !== report.sequence) return released
    switch (report.kind) {
      case 'refused':
        return { ...released, refusals: row.refusals + 1, retryAt: report.retryAt }
      case 'blocked':
        return { ...released, blocked: { sequence: report.sequence, reason: report.reason, since: now } }
    }
  })
}

export function modelUnblock(model: OutboxModel, stream: Stream): OutboxModel {
  return change(model, stream, (row) => ({ ...row, blocked: null, refusals: 0, retryAt: 0 }))
}

export function modelState({ stream, events, confirmed, refusals, blocked }: ModelStream): StreamState {
  return { stream, last: events.length, confirmed, refusals, blocked }
}

export function modelBacklog(model: OutboxModel): Backlog {
  const waiting = model.flatMap(({ events, confirmed }) => events.slice(confirmed))
  const instants = waiting.map(({ occurredAt }) => occurredAt)
  return {
    events: waiting.length,
    blockedStreams: model.filter(({ blocked }) => blocked !== null).length,
    oldest: instants.length === 0 ? null : Math.min(...instants),
  }
}

function change(model: OutboxModel, stream: Stream, alter: (row: ModelStream) => ModelStream): OutboxModel {
  return model.map((row) => (row.stream === stream ? alter(row) : row))
}
