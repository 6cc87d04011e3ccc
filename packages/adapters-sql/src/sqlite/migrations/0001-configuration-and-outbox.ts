export const configurationAndOutbox: string = `
CREATE TABLE store_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch TEXT NOT NULL,
  revision INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL
) STRICT;

-- recorded_at is null for a unit that was settled as never committed.
CREATE TABLE units (
  unit TEXT PRIMARY KEY,
  revision INTEGER,
  recorded_at INTEGER,
  wrote_events INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
  entry_id INTEGER PRIMARY KEY,
  component TEXT NOT NULL,
  [key] TEXT NOT NULL,
  scope TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_by_address ON entries (component, scope, [key]);

-- Append-only. position rises with revision, so that a revision is found as a position without a look at every row.
CREATE TABLE versions (
  position INTEGER PRIMARY KEY,
  entry_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  op TEXT NOT NULL CHECK (op IN ('put', 'delete')),
  value TEXT NOT NULL,
  hash TEXT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  request_id TEXT NOT NULL,
  restored_from INTEGER,
  recorded_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX versions_by_entry ON versions (entry_id, version);
CREATE INDEX versions_by_revision ON versions (revision);
CREATE INDEX versions_by_time ON versions (recorded_at, revision);

CREATE TABLE component_totals (
  component TEXT PRIMARY KEY,
  entries INTEGER NOT NULL,
  revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Writers take sequences here; relays keep their place in stream_leases.
CREATE TABLE streams (
  stream TEXT PRIMARY KEY,
  last_sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  stream TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  type TEXT NOT NULL,
  payload TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  traceparent TEXT,
  confirmed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX events_by_stream ON events (stream, sequence);

CREATE TABLE stream_leases (
  stream TEXT PRIMARY KEY,
  fence INTEGER NOT NULL,
  owner TEXT,
  expires_at INTEGER NOT NULL,
  confirmed INTEGER NOT NULL,
  refusals INTEGER NOT NULL,
  blocked_sequence INTEGER,
  blocked_reason TEXT,
  blocked_since INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX blocked_streams ON stream_leases (stream) WHERE blocked_sequence IS NOT NULL;

-- One row for each stream with a backlog. available_at is when it may be leased next, null while it is blocked.
CREATE TABLE ready_streams (
  stream TEXT PRIMARY KEY,
  first_sequence INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL,
  oldest_at INTEGER,
  available_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX ready_streams_by_time ON ready_streams (available_at);
`
