import type { ResultAsync } from 'neverthrow'
import type { Instant } from '../../kernel/clock.ts'
import type { StoreUnavailable } from '../../kernel/failures.ts'
import type { EventDraft, Sequence, SequencedEvent, Stream } from '../event.ts'

/** Proof of a lease on one stream. The fence rises with each lease of that stream, whoever takes it. */
export type StreamLease = Readonly<{ stream: Stream; fence: number }>

/** A stream leased together with the beginning of its backlog. */
export type LeasedStream = StreamLease &
  Readonly<{
    /** Unconfirmed events from the first one on, ascending; the next page is asked for with `pending`. */
    events: readonly SequencedEvent[]
    /** How often the first of them has been refused so far. */
    refusals: number
  }>

/**
 * What a relay has to record about a stream that it leases. Nothing beyond the last event is confirmed, and only the
 * first unconfirmed event can be refused or blocked: of any other, such a report is no more than a release.
 */
export type RelayReport = StreamLease &
  (
    | Readonly<{ kind: 'confirmed'; through: Sequence }>
    /** Try the event again from `retryAt` on; the lease ends. */
    | Readonly<{ kind: 'refused'; sequence: Sequence; reason: string; retryAt: Instant }>
    /** No more tries until `unblock`; the lease ends. */
    | Readonly<{ kind: 'blocked'; sequence: Sequence; reason: string }>
    | Readonly<{ kind: 'released' }>
  )

export type StreamBlock = Readonly<{ sequence: Sequence; reason: string; since: Instant }>

export type StreamState = Readonly<{
  stream: Stream
  /** The sequence of the newest event. */
  last: Sequence
  /** Every event up to here is confirmed. */
  confirmed: Sequence
  /** Refusals of event `confirmed + 1` so far. */
  refusals: number
  blocked: StreamBlock | null
}>

/** `oldest`: when the first of the unconfirmed events occurred. */
export type Backlog = Readonly<{ events: number; blockedStreams: number; oldest: Instant | null }>

/**
 * Port: events that are committed and not all confirmed yet, leased to relays stream by stream.
 *
 * - L11: an event is here exactly when the unit that recorded it committed.
 * - L12: an event leaves the backlog only by `confirmed`; a blocked stream stays visible until unblocked.
 * - Sequences are 1, 2, 3 … for each stream, in the order of the commits.
 * - L14: a report whose fence is not the stream's newest, or whose lease was given back, records nothing.
 * - Leases are measured on the store's own clock.
 */
export interface Outbox {
  /**
   * Leases up to `limit` streams that have a backlog, are not leased to anyone (an expired lease counts as none),
   * not blocked and not waiting for a retry; each with up to `eventLimit` events.
   */
  lease(
    request: Readonly<{ owner: string; limit: number; leaseMs: number; eventLimit: number }>,
  ): ResultAsync<readonly LeasedStream[], StoreUnavailable>
  /** Extends leases still held; answers those that were. */
  renew(leases: readonly StreamLease[], leaseMs: number): ResultAsync<readonly StreamLease[], StoreUnavailable>
  /** The events after `after` of each stream, at most `limit` for each. Needs no lease: it changes nothing. */
  pending(
    after: readonly Readonly<{ stream: Stream; after: Sequence }>[],
    limit: number,
  ): ResultAsync<readonly SequencedEvent[], StoreUnavailable>
  /** Records reports in their order, as one batch; answers those that the fence refused. */
  record(reports: readonly RelayReport[]): ResultAsync<readonly RelayReport[], StoreUnavailable>
  backlog(): ResultAsync<Backlog, StoreUnavailable>
  stream(stream: Stream): ResultAsync<StreamState | null, StoreUnavailable>
  /** Streams by name, at most `limit`, all after `after` where it is given. */
  streams(
    filter: Readonly<{ blocked: boolean | null }>,
    after: Stream | null,
    limit: number,
  ): ResultAsync<readonly StreamState[], StoreUnavailable>
  /** Lets a blocked stream be leased again, with no refusals counted; answers its state, `null` when there is no such stream. */
  unblock(stream: Stream): ResultAsync<StreamState | null, StoreUnavailable>
}

/** Events inside a unit of work. */
export interface OutboxTransaction {
  append(draft: EventDraft): void
}
