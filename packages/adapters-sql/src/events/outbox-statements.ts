import type { Dialect } from '../sql/engine.ts'
import { eventColumns } from './event-rows.ts'

export type OutboxStatements = Readonly<{
  /** Tables of streams that may be leased at `@now`, the longest waiting first. */
  candidates: string
  claim: string
  takeLeases: string
  addLeases: string
  postpone: string
  leased: string
  backlogOfLeased: string
  giveBackEmpty: string
  dropEmpty: string
  held: string
  renewLeases: string
  pending: string
  leaseStates: string
  confirmLeases: string
  endLeases: string
  blockLeases: string
  dropFinished: string
  moveReady: string
  giveBackReady: string
  backlog: string
  blockedStreams: string
  stream: string
  streams: (blocked: boolean | null) => string
  unblock: string
  makeAvailable: string
}>

const streamColumns = `q.stream, q.last_sequence, COALESCE(l.confirmed, 0) AS confirmed, COALESCE(l.refusals, 0) AS refusals,
  l.blocked_sequence, l.blocked_reason, l.blocked_since`

export function outboxStatements(dialect: Dialect): OutboxStatements {
  const named = (alias: string): string => `${dialect.list('@streams')} ${alias}`
  // A lease that another relay holds locked must not be passed over: the stream would look free.
  const candidates = (ofReady: string, ofLease: string): string => `
    SELECT r.stream FROM ready_streams r ${ofReady} LEFT JOIN stream_leases l ${ofLease} ON l.stream = r.stream
    WHERE r.available_at <= @now AND (l.owner IS NULL OR l.expires_at <= @now)
    ORDER BY r.available_at ${dialect.limit('@limit')}`
  const list = (from: string, where: string): string => `
    SELECT ${streamColumns} FROM ${from} WHERE q.stream > @after ${where} ORDER BY q.stream ${dialect.limit('@limit')}`
  const allStreams = 'streams q LEFT JOIN stream_leases l ON l.stream = q.stream'
  return {
    candidates: candidates('', ''),
    claim: candidates(dialect.forClaim, dialect.forUpdate),
    ...leaseStatements(dialect, named),
    ...reportStatements(dialect, named),
    pending: `SELECT ${eventColumns} FROM ${dialect.rows('@positions', { stream: 'key', after: 'integer' })} p
      JOIN events e ON e.stream = p.stream AND e.sequence > p.after AND e.sequence <= p.after + @limit
      ORDER BY e.stream, e.sequence`,
    backlog: `SELECT COALESCE(SUM(last_sequence - first_sequence + 1), 0) AS events, MIN(oldest_at) AS oldest FROM ready_streams`,
    blockedStreams: 'SELECT COUNT(*) AS streams FROM stream_leases WHERE blocked_sequence IS NOT NULL',
    stream: `SELECT ${streamColumns} FROM ${allStreams} WHERE q.stream = @stream`,
    streams(blocked) {
      if (blocked === null) return list(allStreams, '')
      if (!blocked) return list(allStreams, 'AND l.blocked_sequence IS NULL')
      return list('stream_leases l CROSS JOIN streams q', 'AND q.stream = l.stream AND l.blocked_sequence IS NOT NULL')
    },
    unblock: `UPDATE stream_leases SET refusals = 0, blocked_sequence = NULL, blocked_reason = NULL, blocked_since = NULL
      WHERE stream = @stream`,
    makeAvailable: 'UPDATE ready_streams SET available_at = @now WHERE stream = @stream',
  }
}

type Named = (alias: string) => string

/** Whether not one event is unconfirmed: where only the next is missing, those after it must not be lost. */
function isEmpty(lease: string): string {
  return `NOT EXISTS (SELECT 1 FROM events e WHERE e.stream = ${lease}.stream AND e.sequence > ${lease}.confirmed)`
}

function leaseStatements(dialect: Dialect, named: Named) {
  return {
    takeLeases: `UPDATE stream_leases SET fence = fence + 1, owner = @owner, expires_at = @expiresAt
      WHERE stream IN (SELECT s.item FROM ${named('s')})`,
    addLeases: `INSERT INTO stream_leases (stream, fence, owner, expires_at, confirmed, refusals)
      SELECT s.item, 1, @owner, @expiresAt, 0, 0 FROM ${named('s')}
      WHERE NOT EXISTS (SELECT 1 FROM stream_leases l WHERE l.stream = s.item)`,
    postpone: `UPDATE ready_streams SET available_at = @expiresAt WHERE stream IN (SELECT s.item FROM ${named('s')})`,
    leased: `SELECT l.stream, l.fence, l.refusals FROM ${named('s')}
      JOIN stream_leases l ON l.stream = s.item ORDER BY s.position`,
    // Sequences have no gaps, so that a range of them is a limit.
    backlogOfLeased: `SELECT ${eventColumns} FROM ${named('s')} JOIN stream_leases l ON l.stream = s.item
      JOIN events e ON e.stream = l.stream AND e.sequence > l.confirmed AND e.sequence <= l.confirmed + @eventLimit
      ORDER BY e.stream, e.sequence`,
    giveBackEmpty: `UPDATE stream_leases SET owner = NULL WHERE stream IN (SELECT s.item FROM ${named('s')}) AND ${isEmpty('stream_leases')}`,
    dropEmpty: `DELETE FROM ready_streams WHERE stream IN (SELECT s.item FROM ${named('s')}) AND EXISTS (
      SELECT 1 FROM stream_leases l WHERE l.stream = ready_streams.stream AND ${isEmpty('l')})`,
    held: `SELECT h.stream, h.fence FROM ${dialect.rows('@leases', { stream: 'key', fence: 'integer' })} h
      JOIN stream_leases l ${dialect.forUpdate} ON l.stream = h.stream
      WHERE l.fence = h.fence AND l.owner IS NOT NULL AND l.expires_at > @now`,
    renewLeases: `UPDATE stream_leases SET expires_at = @expiresAt WHERE stream IN (SELECT s.item FROM ${named('s')})`,
  } as const
}

function reportStatements(dialect: Dialect, named: Named) {
  const leases = dialect.rows('@leases', { stream: 'key', confirmed: 'integer', refusals: 'integer' })
  const blocks = dialect.rows('@blocks', { stream: 'key', sequence: 'integer', reason: 'text' })
  const ready = `first_sequence = j.confirmed + 1,
    oldest_at = (SELECT e.occurred_at FROM events e WHERE e.stream = ready_streams.stream AND e.sequence = j.confirmed + 1)`
  return {
    // A writer raises last_sequence in the row of ready_streams, whose lock alone tells what is the last event.
    leaseStates: `SELECT l.stream, l.fence, l.owner, l.expires_at, l.confirmed, l.refusals,
        COALESCE(r.last_sequence, (SELECT q.last_sequence FROM streams q WHERE q.stream = l.stream)) AS last_sequence
      FROM ${named('s')} JOIN stream_leases l ${dialect.forUpdate} ON l.stream = s.item
      LEFT JOIN ready_streams r ${dialect.forUpdate} ON r.stream = l.stream`,
    confirmLeases: `UPDATE stream_leases SET confirmed = j.confirmed, refusals = j.refusals FROM ${leases} j WHERE j.stream = stream_leases.stream`,
    endLeases: `UPDATE stream_leases SET owner = NULL, expires_at = @now, confirmed = j.confirmed, refusals = j.refusals
      FROM ${leases} j WHERE j.stream = stream_leases.stream`,
    blockLeases: `UPDATE stream_leases SET blocked_sequence = j.sequence, blocked_reason = j.reason, blocked_since = @now
      FROM ${blocks} j WHERE j.stream = stream_leases.stream`,
    // A stream that was not ready when its state was read may have become so since.
    dropFinished: `DELETE FROM ready_streams WHERE stream IN (SELECT s.item FROM ${named('s')})
      AND last_sequence <= (SELECT l.confirmed FROM stream_leases l WHERE l.stream = ready_streams.stream)`,
    moveReady: `UPDATE ready_streams SET ${ready}
      FROM ${dialect.rows('@ready', { stream: 'key', confirmed: 'integer' })} j WHERE j.stream = ready_streams.stream`,
    giveBackReady: `UPDATE ready_streams SET available_at = j.available_at, ${ready}
      FROM ${dialect.rows('@ready', { stream: 'key', confirmed: 'integer', available_at: 'integer' })} j WHERE j.stream = ready_streams.stream`,
  } as const
}
