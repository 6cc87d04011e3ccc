/** Columns as in the first tables. */
const key = (length: number): string => `nvarchar(${length}) COLLATE Latin1_General_100_BIN2`
const id = key(36)
const client = key(400)
const rowCompression = 'WITH (DATA_COMPRESSION = ROW)'

const access = `
CREATE TABLE api_keys (
  id ${id} NOT NULL CONSTRAINT api_keys_key PRIMARY KEY CLUSTERED,
  name nvarchar(max) NOT NULL,
  owner ${client} NOT NULL,
  permissions nvarchar(max) NOT NULL,
  config_scopes nvarchar(max) NULL,
  allowed_from nvarchar(max) NULL,
  secrets nvarchar(max) NOT NULL,
  revoked_at bigint NULL,
  warn_at bigint NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
) ${rowCompression};
CREATE INDEX api_keys_by_owner ON api_keys (owner, id) ${rowCompression};
CREATE INDEX api_keys_to_warn_of ON api_keys (warn_at, id) WHERE warn_at IS NOT NULL;

-- Apart from the keys: written every minute of use, while the keys themselves hardly ever change.
CREATE TABLE api_key_uses (
  key_id ${id} NOT NULL CONSTRAINT api_key_uses_key PRIMARY KEY CLUSTERED,
  last_used_at bigint NOT NULL
) ${rowCompression};

CREATE TABLE data_keys (
  purpose ${key(40)} NOT NULL,
  version bigint NOT NULL,
  sealed nvarchar(max) NOT NULL,
  created_at bigint NOT NULL,
  CONSTRAINT data_keys_key PRIMARY KEY CLUSTERED (purpose, version)
);
`

const audit = `
CREATE TABLE audit_records (
  number bigint NOT NULL CONSTRAINT audit_records_key PRIMARY KEY CLUSTERED,
  action ${key(40)} NOT NULL,
  outcome ${key(10)} NOT NULL,
  actor ${client} NOT NULL,
  subject ${key(600)} NULL,
  request_id nvarchar(max) NULL,
  times bigint NOT NULL,
  happened_at bigint NOT NULL,
  details nvarchar(max) NOT NULL,
  recorded_at bigint NOT NULL,
  key_version bigint NOT NULL,
  mac nvarchar(max) NOT NULL
) ${rowCompression};
CREATE INDEX audit_records_by_action ON audit_records (action, number) ${rowCompression};
CREATE INDEX audit_records_by_actor ON audit_records (actor, number) ${rowCompression};
CREATE INDEX audit_records_by_actor_and_action ON audit_records (actor, action, number) ${rowCompression};
CREATE INDEX audit_records_by_subject ON audit_records (subject, number) WHERE subject IS NOT NULL;

-- Which numbers were recorded in which hour since 1970: they rise with time, but nothing may depend on it.
CREATE TABLE audit_hours (
  [hour] bigint NOT NULL CONSTRAINT audit_hours_key PRIMARY KEY CLUSTERED,
  first_number bigint NOT NULL,
  last_number bigint NOT NULL
);

CREATE TABLE audit_head (
  id ${key(36)} NOT NULL CONSTRAINT audit_head_key PRIMARY KEY CLUSTERED,
  number bigint NOT NULL,
  mac nvarchar(max) NOT NULL
);
`

/** Whoever adds records holds the head's row, so that no two widen one hour at once. A trigger has to stand alone in its batch. */
const hours = `
CREATE TRIGGER audit_hours_of_records ON audit_records AFTER INSERT AS
BEGIN
  SET NOCOUNT ON;
  UPDATE audit_hours SET
    first_number = CASE WHEN added.first_number < audit_hours.first_number THEN added.first_number ELSE audit_hours.first_number END,
    last_number = CASE WHEN added.last_number > audit_hours.last_number THEN added.last_number ELSE audit_hours.last_number END
  FROM (
    SELECT recorded_at / 3600000 AS [hour], MIN(number) AS first_number, MAX(number) AS last_number
    FROM inserted GROUP BY recorded_at / 3600000
  ) added WHERE audit_hours.[hour] = added.[hour];
  INSERT INTO audit_hours ([hour], first_number, last_number)
  SELECT added.[hour], added.first_number, added.last_number FROM (
    SELECT recorded_at / 3600000 AS [hour], MIN(number) AS first_number, MAX(number) AS last_number
    FROM inserted GROUP BY recorded_at / 3600000
  ) added WHERE NOT EXISTS (SELECT 1 FROM audit_hours h WHERE h.[hour] = added.[hour]);
END
`

/** For everybody who may not change tables. Who may can do away with this too; then the chain of MACs tells. */
const appendOnly = `
CREATE TRIGGER audit_records_stay_as_they_are ON audit_records AFTER UPDATE, DELETE AS
BEGIN
  THROW 50004, N'audit records are never changed or removed', 1;
END
`

export const accessAndAudit: readonly string[] = [access, audit, hours, appendOnly]
