import type { ResultAsync } from 'neverthrow'
import type { Instant } from '../../kernel/clock.ts'
import type { StoreUnavailable } from '../../kernel/failures.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { Records } from '../../kernel/records.ts'
import type { Sequence, SequencedEvent, Stream } from '../event.ts'

/** How far one consumer has come in one stream. */
export type InboxPosition = Readonly<{
  consumer: string
  stream: Stream
  /** Every event up to here is applied, or set aside as a dead letter. */
  sequence: Sequence
  /** Failed tries of event `sequence + 1`. */
  failures: number
}>

export type DeadLetterState = 'dead' | 'replayed' | 'discarded'

/** An event that a consumer could not apply, set aside so that its stream goes on. */
export type DeadLetter = Readonly<{
  id: Uuid
  consumer: string
  event: SequencedEvent
  reason: string
  failures: number
  deadAt: Instant
  state: DeadLetterState
  /** When it was replayed or discarded, by whom, and why. */
  settled: Readonly<{ at: Instant; actor: string; reason: string | null }> | null
}>

/** Inboxes inside a unit of work. */
export type InboxRecords = Readonly<{
  inbox: Records<InboxPosition, 'consumer' | 'stream'>
  deadLetters: Records<DeadLetter, 'id'>
}>

export type DeadLetterFilter = Readonly<{ consumer: string | null; state: DeadLetterState | null }>

/** Port: dead letters, read outside of units of work. */
export interface DeadLetterStore {
  deadLetter(id: Uuid): ResultAsync<DeadLetter | null, StoreUnavailable>
  /** Newest first (by id, descending), at most `limit`, all before `before` where it is given. */
  deadLetters(filter: DeadLetterFilter, before: Uuid | null, limit: number): ResultAsync<readonly DeadLetter[], StoreUnavailable>
  /** How many are in state `dead`. */
  deadCount(): ResultAsync<number, StoreUnavailable>
}
