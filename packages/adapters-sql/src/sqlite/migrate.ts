import { createHash } from 'node:crypto'
import type { Clock, Random } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { checkApplied, type PlannedMigration } from '../sql/applied-migrations.ts'
import { newEpoch } from '../sql/new-epoch.ts'
import type { StoreOpenError } from '../sql/open-errors.ts'
import type { Connection } from './connection.ts'
import type { Migration } from './migrations/index.ts'

const createTable = `CREATE TABLE IF NOT EXISTS schema_migrations (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT`

/** The migrations that the database lacks, in their order; changes nothing. */
export function pendingMigrations(connection: Connection, known: readonly Migration[]): Result<readonly Migration[], StoreOpenError> {
  const tables = connection.all({ sql: "SELECT name FROM sqlite_schema WHERE type = 'table'", parameters: {} })
  if (tables.length === 0) return ok(known)
  if (!tables.some((row) => row['name'] === 'schema_migrations')) return err(foreignDatabase)
  const applied = readApplied(connection)
  const numbers = new Set(applied.map(({ number }) => number))
  return checkApplied(applied, known.map(planned)).map(() => known.filter(({ number }) => !numbers.has(number)))
}

/**
 * Brings the database forward, all pending steps in one transaction; answers those that it ran.
 * Throws busy while another process holds the lock, and may then be called again.
 */
export function migrate(
  connection: Connection,
  known: readonly Migration[],
  { clock, random }: Readonly<{ clock: Pick<Clock, 'now'>; random: Random }>,
): Result<readonly Migration[], StoreOpenError> {
  const missing = pendingMigrations(connection, known)
  // The usual start writes nothing, and so does not wait for whoever is writing.
  if (missing.isErr() || missing.value.length === 0) return missing
  connection.exec('BEGIN IMMEDIATE')
  try {
    // Looked up under the lock: of two processes that start at once, the second finds nothing to do.
    const pending = pendingMigrations(connection, known)
    if (pending.isOk()) {
      connection.exec(createTable)
      for (const migration of pending.value) apply(connection, migration, clock.now())
      connection.run({
        sql: 'INSERT INTO store_head (id, epoch, revision, recorded_at) SELECT 1, @epoch, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM store_head)',
        parameters: { epoch: newEpoch(random) },
      })
    }
    connection.exec('COMMIT')
    return pending
  } finally {
    if (connection.isTransaction) connection.exec('ROLLBACK')
  }
}

export function planned({ number, name, sql }: Migration): PlannedMigration {
  return { number, name, checksum: createHash('sha256').update(sql).digest('hex') }
}

const foreignDatabase: StoreOpenError = {
  kind: 'store-open-error',
  cause: 'foreign-database',
  reason: 'the database holds tables that this service did not make; point the setting at another path',
}

function readApplied(connection: Connection): readonly PlannedMigration[] {
  return connection.all({ sql: 'SELECT number, name, checksum FROM schema_migrations', parameters: {} }) as readonly PlannedMigration[]
}

function apply(connection: Connection, migration: Migration, appliedAt: number): void {
  connection.exec(migration.sql)
  connection.run({
    sql: 'INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (@number, @name, @checksum, @appliedAt)',
    parameters: { ...planned(migration), appliedAt },
  })
}
