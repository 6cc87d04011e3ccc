-- Run by sqlcmd with -v or from its environment: DATABASE_PASSWORD. May be run again.
-- Readers see a snapshot instead of waiting for writers; the service looks whether these two options are on.
IF DB_ID(N'cbp') IS NULL CREATE DATABASE cbp;
GO
IF (SELECT is_read_committed_snapshot_on FROM sys.databases WHERE name = N'cbp') = 0
  ALTER DATABASE cbp SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE;
IF (SELECT snapshot_isolation_state FROM sys.databases WHERE name = N'cbp') = 0
  ALTER DATABASE cbp SET ALLOW_SNAPSHOT_ISOLATION ON;
GO
IF SUSER_ID(N'cbp') IS NULL CREATE LOGIN cbp WITH PASSWORD = N'$(DATABASE_PASSWORD)', DEFAULT_DATABASE = cbp;
ELSE ALTER LOGIN cbp WITH PASSWORD = N'$(DATABASE_PASSWORD)';
GO
USE cbp;
IF USER_ID(N'cbp') IS NULL CREATE USER cbp FOR LOGIN cbp;
-- It makes and changes its own tables.
ALTER ROLE db_owner ADD MEMBER cbp;
GO
