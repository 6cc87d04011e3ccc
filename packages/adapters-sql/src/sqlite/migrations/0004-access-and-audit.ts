export const accessAndAudit: string = `
CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  permissions TEXT NOT NULL,
  config_scopes TEXT,
  allowed_from TEXT,
  secrets TEXT NOT NULL,
  revoked_at INTEGER,
  warn_at INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX api_keys_by_owner ON api_keys (owner, id);
CREATE INDEX api_keys_to_warn_of ON api_keys (warn_at, id) WHERE warn_at IS NOT NULL;

-- Apart from the keys: written every minute of use, while the keys themselves hardly ever change.
CREATE TABLE api_key_uses (
  key_id TEXT PRIMARY KEY,
  last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE data_keys (
  purpose TEXT NOT NULL,
  version INTEGER NOT NULL,
  sealed TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (purpose, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_records (
  number INTEGER PRIMARY KEY,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  actor TEXT NOT NULL,
  subject TEXT,
  request_id TEXT,
  times INTEGER NOT NULL,
  happened_at INTEGER NOT NULL,
  details TEXT NOT NULL,
  recorded_at INTEGER NOT NULL,
  key_version INTEGER NOT NULL,
  mac TEXT NOT NULL
) STRICT;
CREATE INDEX audit_records_by_action ON audit_records (action, number);
CREATE INDEX audit_records_by_actor ON audit_records (actor, number);
CREATE INDEX audit_records_by_actor_and_action ON audit_records (actor, action, number);
CREATE INDEX audit_records_by_subject ON audit_records (subject, number) WHERE subject IS NOT NULL;

-- Which numbers were recorded in which hour since 1970: they rise with time, but nothing may depend on it.
CREATE TABLE audit_hours (
  [hour] INTEGER PRIMARY KEY,
  first_number INTEGER NOT NULL,
  last_number INTEGER NOT NULL
) STRICT;
CREATE TRIGGER audit_hours_of_records AFTER INSERT ON audit_records BEGIN
  INSERT INTO audit_hours ([hour], first_number, last_number) VALUES (NEW.recorded_at / 3600000, NEW.number, NEW.number)
  ON CONFLICT DO UPDATE SET
    first_number = MIN(first_number, excluded.first_number),
    last_number = MAX(last_number, excluded.last_number);
END;

CREATE TABLE audit_head (
  id TEXT PRIMARY KEY,
  number INTEGER NOT NULL,
  mac TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Whoever has the file can drop these; the chain of MACs tells. They keep the service from doing it by mistake.
CREATE TRIGGER audit_records_stay_as_they_are BEFORE UPDATE ON audit_records BEGIN
  SELECT RAISE(ABORT, 'audit records are never changed');
END;
CREATE TRIGGER audit_records_stay BEFORE DELETE ON audit_records BEGIN
  SELECT RAISE(ABORT, 'audit records are never removed');
END;
`
