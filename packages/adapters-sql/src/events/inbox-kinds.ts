import type { DeadLetter, DeadLetterState, InboxPosition } from '@cbp/core'
import { integer, json, oneOf, optional, type RecordKind, text } from '../sql/record-kind.ts'

/** Named as keys, so that a state that is added cannot be left out. */
const states: Readonly<Record<DeadLetterState, true>> = { dead: true, replayed: true, discarded: true }

export const deadLetterStates: readonly string[] = Object.keys(states)

export const inboxKind: RecordKind<InboxPosition, 'consumer' | 'stream'> = {
  name: 'inbox position',
  table: 'inbox_positions',
  key: ['consumer', 'stream'],
  columns: { consumer: text, stream: text, sequence: integer, failures: integer },
  toValues: (row) => [row.consumer, row.stream, row.sequence, row.failures],
  fromValues: ([consumer, stream, sequence, failures]) => ({ consumer, stream, sequence, failures }) as InboxPosition,
}

export const deadLetterKind: RecordKind<DeadLetter, 'id'> = {
  name: 'dead letter',
  table: 'dead_letters',
  key: ['id'],
  columns: {
    id: text,
    consumer: text,
    event: json,
    reason: text,
    failures: integer,
    dead_at: integer,
    state: oneOf(deadLetterStates),
    settled_at: optional(integer),
    settled_by: optional(text),
    settled_because: optional(text),
  },
  toValues: (row) => [
    row.id,
    row.consumer,
    row.event,
    row.reason,
    row.failures,
    row.deadAt,
    row.state,
    row.settled === null ? null : row.settled.at,
    row.settled === null ? null : row.settled.actor,
    row.settled === null ? null : row.settled.reason,
  ],
  fromValues: ([id, consumer, event, reason, failures, deadAt, state, at, actor, settledReason]) =>
    ({
      id,
      consumer,
      event,
      reason,
      failures,
      deadAt,
      state,
      settled: at === null ? null : { at, actor, reason: settledReason },
    }) as DeadLetter,
}
