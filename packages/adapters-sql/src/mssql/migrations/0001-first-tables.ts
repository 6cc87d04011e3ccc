/**
 * One rule for each kind of column: keys are nvarchar under a BIN2 collation, as parameters are nvarchar, so that no
 * conversion stands between a parameter and an index; ids are UUIDv7 as text, which under that collation rise with time;
 * instants are bigint milliseconds; JSON and whatever is only shown is nvarchar(max). ROW compression stores a code unit
 * of ASCII in one byte.
 */
const key = (length: number): string => `nvarchar(${length}) COLLATE Latin1_General_100_BIN2`
const id = key(36)
const stream = key(256)
const client = key(400)
const status = key(20)
const rowCompression = 'WITH (DATA_COMPRESSION = ROW)'

const configuration = `
CREATE TABLE store_head (
  id int NOT NULL CONSTRAINT store_head_key PRIMARY KEY CLUSTERED,
  epoch ${key(16)} NOT NULL,
  revision bigint NOT NULL,
  position bigint NOT NULL,
  recorded_at bigint NOT NULL
);

-- recorded_at is null for a unit that was settled as never committed.
CREATE TABLE units (
  unit ${id} NOT NULL CONSTRAINT units_key PRIMARY KEY CLUSTERED,
  revision bigint NULL,
  recorded_at bigint NULL,
  wrote_events int NOT NULL,
  added_deliveries int NOT NULL
) ${rowCompression};

CREATE TABLE entries (
  entry_id bigint NOT NULL IDENTITY(1, 1) CONSTRAINT entries_key PRIMARY KEY NONCLUSTERED,
  component ${key(63)} NOT NULL,
  scope ${key(256)} NOT NULL,
  [key] ${key(128)} NOT NULL
) ${rowCompression};
CREATE UNIQUE CLUSTERED INDEX entries_by_address ON entries (component, scope, [key]) ${rowCompression};

-- Append-only. position rises with revision.
CREATE TABLE versions (
  position bigint NOT NULL,
  entry_id bigint NOT NULL,
  version bigint NOT NULL,
  revision bigint NOT NULL,
  op ${key(6)} NOT NULL,
  value nvarchar(max) NOT NULL,
  hash ${key(128)} NOT NULL,
  actor nvarchar(max) NOT NULL,
  reason nvarchar(max) NOT NULL,
  request_id nvarchar(max) NOT NULL,
  restored_from bigint NULL,
  recorded_at bigint NOT NULL,
  CONSTRAINT versions_key PRIMARY KEY CLUSTERED (entry_id, version)
) ${rowCompression};
CREATE INDEX versions_by_position ON versions (revision, position) ${rowCompression};
CREATE INDEX versions_by_time ON versions (recorded_at, revision) ${rowCompression};

CREATE TABLE component_totals (
  component ${key(63)} NOT NULL CONSTRAINT component_totals_key PRIMARY KEY CLUSTERED,
  entries bigint NOT NULL,
  revision bigint NOT NULL
);
`

const outbox = `
-- Writers take sequences here; relays keep their place in stream_leases.
CREATE TABLE streams (
  stream ${stream} NOT NULL CONSTRAINT streams_key PRIMARY KEY CLUSTERED,
  last_sequence bigint NOT NULL
) ${rowCompression};

CREATE TABLE events (
  stream ${stream} NOT NULL,
  sequence bigint NOT NULL,
  event_id ${id} NOT NULL,
  type ${key(100)} NOT NULL,
  payload nvarchar(max) NOT NULL,
  occurred_at bigint NOT NULL,
  traceparent nvarchar(100) NULL,
  confirmed_at bigint NULL,
  CONSTRAINT events_key PRIMARY KEY CLUSTERED (stream, sequence)
) ${rowCompression};

CREATE TABLE stream_leases (
  stream ${stream} NOT NULL CONSTRAINT stream_leases_key PRIMARY KEY CLUSTERED,
  fence bigint NOT NULL,
  owner nvarchar(max) NULL,
  expires_at bigint NOT NULL,
  confirmed bigint NOT NULL,
  refusals bigint NOT NULL,
  blocked_sequence bigint NULL,
  blocked_reason nvarchar(max) NULL,
  blocked_since bigint NULL
) ${rowCompression};
CREATE INDEX blocked_streams ON stream_leases (stream) WHERE blocked_sequence IS NOT NULL;

-- One row for each stream with a backlog. available_at is when it may be leased next, null while it is blocked.
CREATE TABLE ready_streams (
  stream ${stream} NOT NULL CONSTRAINT ready_streams_key PRIMARY KEY CLUSTERED,
  first_sequence bigint NOT NULL,
  last_sequence bigint NOT NULL,
  oldest_at bigint NULL,
  available_at bigint NULL
) ${rowCompression};
CREATE INDEX ready_streams_by_time ON ready_streams (available_at) ${rowCompression};

CREATE TABLE inbox_positions (
  consumer ${key(128)} NOT NULL,
  stream ${stream} NOT NULL,
  sequence bigint NOT NULL,
  failures bigint NOT NULL,
  CONSTRAINT inbox_positions_key PRIMARY KEY CLUSTERED (consumer, stream)
) ${rowCompression};

CREATE TABLE dead_letters (
  id ${id} NOT NULL CONSTRAINT dead_letters_key PRIMARY KEY CLUSTERED,
  consumer ${key(128)} NOT NULL,
  event nvarchar(max) NOT NULL,
  reason nvarchar(max) NOT NULL,
  failures bigint NOT NULL,
  dead_at bigint NOT NULL,
  state ${status} NOT NULL,
  settled_at bigint NULL,
  settled_by nvarchar(max) NULL,
  settled_because nvarchar(max) NULL
) ${rowCompression};
CREATE INDEX dead_letters_by_consumer ON dead_letters (consumer, state, id) ${rowCompression};
CREATE INDEX dead_letters_by_state ON dead_letters (state, id) ${rowCompression};
`

const payments = `
CREATE TABLE payments (
  id ${id} NOT NULL CONSTRAINT payments_key PRIMARY KEY CLUSTERED,
  client ${client} NOT NULL,
  status ${status} NOT NULL,
  amount bigint NOT NULL,
  currency ${key(3)} NOT NULL,
  payee nvarchar(max) NOT NULL,
  user_id ${key(130)} NOT NULL,
  reference nvarchar(130) NULL,
  metadata nvarchar(max) NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  attempt_id ${id} NULL,
  attempt_started_at bigint NULL,
  attempt_not_after bigint NULL,
  failure nvarchar(max) NULL,
  remote_reference nvarchar(max) NULL,
  check_at bigint NULL,
  checks bigint NOT NULL,
  entries bigint NOT NULL
) ${rowCompression};
CREATE INDEX payments_by_client ON payments (client, status, id) ${rowCompression};
CREATE INDEX payments_by_status ON payments (status, id) ${rowCompression};
CREATE INDEX payments_by_user ON payments (user_id, id) ${rowCompression};
CREATE INDEX payments_to_check ON payments (check_at, id) WHERE check_at IS NOT NULL;

-- One row of a status would have all payments wait for each other; the shard is that of the connection.
CREATE TABLE payment_tallies (
  status ${status} NOT NULL,
  shard int NOT NULL,
  payments bigint NOT NULL,
  CONSTRAINT payment_tallies_key PRIMARY KEY CLUSTERED (status, shard)
);

-- Which ids were created in which hour since 1970.
CREATE TABLE payment_hours (
  [hour] bigint NOT NULL,
  shard int NOT NULL,
  first_id ${id} NOT NULL,
  last_id ${id} NOT NULL,
  CONSTRAINT payment_hours_key PRIMARY KEY CLUSTERED ([hour], shard)
);

CREATE TABLE payment_references (
  client ${client} NOT NULL,
  reference ${key(130)} NOT NULL,
  payment_id ${id} NOT NULL,
  CONSTRAINT payment_references_key PRIMARY KEY NONCLUSTERED (client, reference)
);

CREATE TABLE payment_history (
  payment_id ${id} NOT NULL,
  number bigint NOT NULL,
  kind ${status} NOT NULL,
  from_status ${status} NULL,
  to_status ${status} NOT NULL,
  version bigint NOT NULL,
  actor nvarchar(max) NOT NULL,
  cause ${status} NOT NULL,
  detail nvarchar(max) NULL,
  request_id nvarchar(max) NULL,
  recorded_at bigint NOT NULL,
  CONSTRAINT payment_history_key PRIMARY KEY CLUSTERED (payment_id, number)
) ${rowCompression};

CREATE TABLE discrepancies (
  payment_id ${id} NOT NULL,
  kind ${status} NOT NULL,
  ours nvarchar(max) NOT NULL,
  theirs nvarchar(max) NOT NULL,
  opened_at bigint NOT NULL,
  resolved_at bigint NULL,
  CONSTRAINT discrepancies_key PRIMARY KEY CLUSTERED (payment_id, kind)
) ${rowCompression};
CREATE INDEX open_discrepancies ON discrepancies (payment_id) WHERE resolved_at IS NULL;

-- Clustered by expiry: new rows go to the end, old ones are dropped from the beginning.
CREATE TABLE idempotency_keys (
  client ${client} NOT NULL,
  operation ${key(30)} NOT NULL,
  [key] ${key(256)} NOT NULL,
  fingerprint ${key(128)} NOT NULL,
  payment_id ${id} NOT NULL,
  answer nvarchar(max) NULL,
  leased_until bigint NOT NULL,
  expires_at bigint NOT NULL,
  CONSTRAINT idempotency_keys_key PRIMARY KEY NONCLUSTERED ([key], client, operation)
);
CREATE CLUSTERED INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at) ${rowCompression};
`

const webhooks = `
CREATE TABLE received_webhooks (
  id ${key(260)} NOT NULL CONSTRAINT received_webhooks_key PRIMARY KEY NONCLUSTERED,
  received_at bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE CLUSTERED INDEX received_webhooks_by_expiry ON received_webhooks (expires_at) ${rowCompression};

CREATE TABLE subscriptions (
  id ${id} NOT NULL CONSTRAINT subscriptions_key PRIMARY KEY CLUSTERED,
  client ${client} NOT NULL,
  url nvarchar(max) NOT NULL,
  description nvarchar(max) NULL,
  types nvarchar(max) NOT NULL,
  filter nvarchar(max) NOT NULL,
  all_clients int NOT NULL,
  hears_system int NOT NULL,
  status ${status} NOT NULL,
  disabled_because nvarchar(max) NULL,
  secrets nvarchar(max) NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);
CREATE INDEX subscriptions_by_client ON subscriptions (client, status, id);
CREATE INDEX subscriptions_by_status ON subscriptions (status, id);
CREATE INDEX subscribers_to_all_clients ON subscriptions (id) WHERE all_clients = 1;
CREATE INDEX subscribers_to_the_system ON subscriptions (id) WHERE hears_system = 1;

CREATE TABLE webhook_lanes (
  subscription_id ${id} NOT NULL CONSTRAINT webhook_lanes_key PRIMARY KEY CLUSTERED,
  due_at bigint NULL,
  fence bigint NOT NULL,
  leased_until bigint NULL,
  failures bigint NOT NULL,
  failing_since bigint NULL,
  paused_until bigint NULL
);
CREATE INDEX due_lanes ON webhook_lanes (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE webhook_deliveries (
  id ${id} NOT NULL CONSTRAINT webhook_deliveries_key PRIMARY KEY CLUSTERED,
  subscription_id ${id} NOT NULL,
  client ${client} NOT NULL,
  type ${key(100)} NOT NULL,
  event_id ${id} NULL,
  event_stream ${stream} NULL,
  event_sequence bigint NULL,
  body nvarchar(max) NOT NULL,
  status ${status} NOT NULL,
  attempts nvarchar(max) NOT NULL,
  due_at bigint NULL,
  created_at bigint NOT NULL,
  ended_at bigint NULL,
  replay_of ${id} NULL,
  replayed int NOT NULL,
  traceparent nvarchar(100) NULL
) ${rowCompression};
CREATE INDEX deliveries_by_subscription ON webhook_deliveries (subscription_id, status, id) ${rowCompression};
CREATE INDEX deliveries_by_client ON webhook_deliveries (client, status, id) ${rowCompression};
-- due_at is there for the backlog, which reads no row.
CREATE INDEX deliveries_by_status ON webhook_deliveries (status, id, due_at) ${rowCompression};
CREATE INDEX pending_deliveries ON webhook_deliveries (subscription_id, due_at, id) WHERE status = 'pending';
`

/** A view has to stand alone in its batch. */
const totals = `
CREATE VIEW payment_totals AS SELECT status, SUM(payments) AS payments FROM payment_tallies GROUP BY status
`

export const firstTables: readonly string[] = [configuration, outbox, payments, webhooks, totals]
