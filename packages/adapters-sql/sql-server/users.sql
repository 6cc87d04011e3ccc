-- The two users of the service, each with what it needs and no more. Run it in the database of the service as its owner, after
-- the logins cbp_migrator and cbp_service were made in master, and again, as it is, after every release that brings migrations.
--
--   CREATE LOGIN cbp_migrator WITH PASSWORD = N'…';
--   CREATE LOGIN cbp_service WITH PASSWORD = N'…';
--
-- cbp_migrator runs `cbp migrate` and is used for nothing else. The service itself logs in as cbp_service.

IF USER_ID(N'cbp_migrator') IS NULL CREATE USER cbp_migrator FOR LOGIN cbp_migrator;
IF USER_ID(N'cbp_service') IS NULL CREATE USER cbp_service FOR LOGIN cbp_service;
GO

GRANT CREATE TABLE, CREATE VIEW TO cbp_migrator;
GRANT ALTER, SELECT, INSERT, UPDATE, REFERENCES ON SCHEMA::dbo TO cbp_migrator;
GO

-- What is read and never written.
GRANT SELECT ON schema_migrations TO cbp_service;
GRANT SELECT ON payment_totals TO cbp_service;

-- Append-only: the service itself cannot change history.
GRANT SELECT, INSERT ON entries TO cbp_service;
GRANT SELECT, INSERT ON versions TO cbp_service;
GRANT SELECT, INSERT ON events TO cbp_service;
GRANT SELECT, INSERT ON payment_references TO cbp_service;
GRANT SELECT, INSERT ON payment_history TO cbp_service;
GRANT SELECT, INSERT ON audit_records TO cbp_service;

-- Relays marked each event before migration 2; only then did they have to change it.
REVOKE UPDATE ON events FROM cbp_service;

GRANT SELECT, UPDATE ON store_head TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON units TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON component_totals TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON streams TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON stream_leases TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON inbox_positions TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON dead_letters TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON payments TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON payment_tallies TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON payment_hours TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON discrepancies TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON subscriptions TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON webhook_lanes TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON webhook_deliveries TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON api_keys TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON api_key_uses TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON data_keys TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON audit_head TO cbp_service;
GRANT SELECT, INSERT, UPDATE ON audit_hours TO cbp_service;

-- What is dropped once it is done with or has expired.
GRANT SELECT, INSERT, UPDATE, DELETE ON ready_streams TO cbp_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO cbp_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON received_webhooks TO cbp_service;
GO

-- Holds whatever role the user is given besides. A trigger refuses the same to everybody who may not change tables.
DENY UPDATE, DELETE ON audit_records TO cbp_service;
GO
