import type { Instant } from '@cbp/core'
import type { PreparedEvent } from '../sql/unit-values.ts'
import { binaryCollation } from './mssql-dialect.ts'
import type { RowSource, RowSources, SourceColumn } from './row-sources.ts'
import { toStored } from './stored-text.ts'

const streamColumns: readonly SourceColumn[] = [
  ['stream', 'nvarchar(256)'],
  ['events', 'bigint'],
  ['oldest_at', 'bigint'],
]
const eventColumns: readonly SourceColumn[] = [
  ['stream', 'nvarchar(256)'],
  ['ordinal', 'bigint'],
  ['event_id', 'nvarchar(36)'],
  ['type', 'nvarchar(100)'],
  ['payload', 'nvarchar(max)'],
  ['occurred_at', 'bigint'],
  ['traceparent', 'nvarchar(100)'],
]

/** Sequences are given out under the lock of each stream's row, which is held until the COMMIT: so they follow the commits. */
const write = (streams: RowSource, events: RowSource): string => `
DECLARE @tails TABLE (stream nvarchar(256) ${binaryCollation} NOT NULL PRIMARY KEY, last_sequence bigint NOT NULL);
UPDATE streams SET last_sequence = streams.last_sequence + j.events OUTPUT inserted.stream, inserted.last_sequence INTO @tails
  FROM ${streams('j')} WHERE streams.stream = j.stream ${binaryCollation};
INSERT INTO streams (stream, last_sequence) OUTPUT inserted.stream, inserted.last_sequence INTO @tails
  SELECT j.stream, j.events FROM ${streams('j')}
  WHERE NOT EXISTS (SELECT 1 FROM @tails t WHERE t.stream = j.stream ${binaryCollation});
UPDATE ready_streams SET last_sequence = t.last_sequence FROM @tails t WHERE t.stream = ready_streams.stream;
INSERT INTO ready_streams (stream, first_sequence, last_sequence, oldest_at, available_at)
  SELECT t.stream, t.last_sequence - j.events + 1, t.last_sequence, j.oldest_at, @now
  FROM ${streams('j')} JOIN @tails t ON t.stream = j.stream ${binaryCollation}
  WHERE NOT EXISTS (SELECT 1 FROM ready_streams r WHERE r.stream = t.stream);
INSERT INTO events (stream, sequence, event_id, type, payload, occurred_at, traceparent)
  SELECT t.stream, t.last_sequence - n.events + j.ordinal, j.event_id, j.type, j.payload, j.occurred_at, j.traceparent
  FROM ${events('j')} JOIN @tails t ON t.stream = j.stream ${binaryCollation}
  JOIN ${streams('n')} ON t.stream = n.stream ${binaryCollation};`

/** Appends events to their streams; those of one stream in the order in which they were recorded. */
export function eventWrites(prepared: readonly PreparedEvent[], sources: RowSources): readonly string[] {
  if (prepared.length === 0) return []
  const tails = new Map<string, { events: number; oldestAt: Instant }>()
  const rows = prepared.map(({ draft, payload }) => {
    const { stream, id, event, occurredAt, traceparent } = draft
    // Streams are also named inside JSON, which is not stored text; see `toStored`.
    if (toStored(stream) !== stream) throw new TypeError('the name of a stream must not end in a space')
    const tail = tails.get(stream) ?? { events: 0, oldestAt: occurredAt }
    tails.set(stream, tail)
    tail.events += 1
    return [stream, tail.events, id, event.type, payload, occurredAt, traceparent]
  })
  const inOrder = [...tails].toSorted(([left], [right]) => (left < right ? -1 : 1))
  const streams = sources.add(
    streamColumns,
    inOrder.map(([stream, { events, oldestAt }]) => [stream, events, oldestAt]),
  )
  return [write(streams, sources.add(eventColumns, rows))]
}
