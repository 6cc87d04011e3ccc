import type { SequencedEvent } from '@cbp/core'
import type { SqlRow } from '../sql/engine.ts'
import { parseStored } from '../sql/stored-json.ts'

export const eventColumns = 'e.stream, e.sequence, e.event_id, e.type, e.payload, e.occurred_at, e.traceparent'

export function eventFromRow(row: SqlRow): SequencedEvent {
  return {
    id: row['event_id'],
    stream: row['stream'],
    sequence: row['sequence'],
    event: { type: row['type'], payload: parseStored(row['payload'], () => `event ${row['sequence']} of ${row['stream']}`) },
    occurredAt: row['occurred_at'],
    traceparent: row['traceparent'],
  } as SequencedEvent
}
