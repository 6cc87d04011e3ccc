export const paymentsInboxesAndWebhooks: string = `
ALTER TABLE units ADD COLUMN added_deliveries INTEGER NOT NULL DEFAULT 0;

CREATE TABLE payments (
  id TEXT PRIMARY KEY,
  client TEXT NOT NULL,
  status TEXT NOT NULL,
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  payee TEXT NOT NULL,
  user_id TEXT NOT NULL,
  reference TEXT,
  metadata TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  attempt_id TEXT,
  attempt_started_at INTEGER,
  attempt_not_after INTEGER,
  failure TEXT,
  remote_reference TEXT,
  check_at INTEGER,
  checks INTEGER NOT NULL,
  entries INTEGER NOT NULL
) STRICT;
CREATE INDEX payments_by_client ON payments (client, status, id);
CREATE INDEX payments_by_status ON payments (status, id);
CREATE INDEX payments_by_user ON payments (user_id, id);
CREATE INDEX payments_to_check ON payments (check_at, id) WHERE check_at IS NOT NULL;

CREATE TABLE payment_totals (
  status TEXT PRIMARY KEY,
  payments INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which ids were created in which hour since 1970: ids rise with time, but nothing may depend on it.
-- A list of one month begins and ends near its ids, instead of passing over all that is newer or older.
CREATE TABLE payment_hours (
  [hour] INTEGER PRIMARY KEY,
  first_id TEXT NOT NULL,
  last_id TEXT NOT NULL
) STRICT;

CREATE TABLE payment_references (
  client TEXT NOT NULL,
  reference TEXT NOT NULL,
  payment_id TEXT NOT NULL,
  PRIMARY KEY (client, reference)
) STRICT, WITHOUT ROWID;

CREATE TABLE payment_history (
  payment_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  from_status TEXT,
  to_status TEXT NOT NULL,
  version INTEGER NOT NULL,
  actor TEXT NOT NULL,
  cause TEXT NOT NULL,
  detail TEXT,
  request_id TEXT,
  recorded_at INTEGER NOT NULL,
  PRIMARY KEY (payment_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE discrepancies (
  payment_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  ours TEXT NOT NULL,
  theirs TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  resolved_at INTEGER,
  PRIMARY KEY (payment_id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX open_discrepancies ON discrepancies (payment_id) WHERE resolved_at IS NULL;

-- The key leads: keys that rise with time stay together, whoever sends them.
CREATE TABLE idempotency_keys (
  client TEXT NOT NULL,
  operation TEXT NOT NULL,
  [key] TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  payment_id TEXT NOT NULL,
  answer TEXT,
  leased_until INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY ([key], client, operation)
) STRICT;
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

CREATE TABLE inbox_positions (
  consumer TEXT NOT NULL,
  stream TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  PRIMARY KEY (consumer, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters (
  id TEXT PRIMARY KEY,
  consumer TEXT NOT NULL,
  event TEXT NOT NULL,
  reason TEXT NOT NULL,
  failures INTEGER NOT NULL,
  dead_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  settled_at INTEGER,
  settled_by TEXT,
  settled_because TEXT
) STRICT;
CREATE INDEX dead_letters_by_consumer ON dead_letters (consumer, state, id);
CREATE INDEX dead_letters_by_state ON dead_letters (state, id);

CREATE TABLE received_webhooks (
  id TEXT PRIMARY KEY,
  received_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX received_webhooks_by_expiry ON received_webhooks (expires_at);

CREATE TABLE subscriptions (
  id TEXT PRIMARY KEY,
  client TEXT NOT NULL,
  url TEXT NOT NULL,
  description TEXT,
  types TEXT NOT NULL,
  filter TEXT NOT NULL,
  all_clients INTEGER NOT NULL,
  hears_system INTEGER NOT NULL,
  status TEXT NOT NULL,
  disabled_because TEXT,
  secrets TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX subscriptions_by_client ON subscriptions (client, status, id);
CREATE INDEX subscriptions_by_status ON subscriptions (status, id);
CREATE INDEX subscribers_to_all_clients ON subscriptions (id) WHERE all_clients = 1;
CREATE INDEX subscribers_to_the_system ON subscriptions (id) WHERE hears_system = 1;

CREATE TABLE webhook_lanes (
  subscription_id TEXT PRIMARY KEY,
  due_at INTEGER,
  fence INTEGER NOT NULL,
  leased_until INTEGER,
  failures INTEGER NOT NULL,
  failing_since INTEGER,
  paused_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX due_lanes ON webhook_lanes (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE webhook_deliveries (
  id TEXT PRIMARY KEY,
  subscription_id TEXT NOT NULL,
  client TEXT NOT NULL,
  type TEXT NOT NULL,
  event_id TEXT,
  event_stream TEXT,
  event_sequence INTEGER,
  body TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts TEXT NOT NULL,
  due_at INTEGER,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  replay_of TEXT,
  replayed INTEGER NOT NULL,
  traceparent TEXT
) STRICT;
CREATE INDEX deliveries_by_subscription ON webhook_deliveries (subscription_id, status, id);
CREATE INDEX deliveries_by_client ON webhook_deliveries (client, status, id);
-- due_at is there for the backlog, which reads no row.
CREATE INDEX deliveries_by_status ON webhook_deliveries (status, id, due_at);
CREATE INDEX pending_deliveries ON webhook_deliveries (subscription_id, due_at, id) WHERE status = 'pending';
`
