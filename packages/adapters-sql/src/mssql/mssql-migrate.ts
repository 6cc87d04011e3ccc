import { createHash } from 'node:crypto'
import type { Clock, Random } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { checkApplied, type PlannedMigration } from '../sql/applied-migrations.ts'
import { newEpoch } from '../sql/new-epoch.ts'
import type { StoreOpenError } from '../sql/open-errors.ts'
import type { Driver, ResultSets, Session } from './driver.ts'
import type { MssqlMigration } from './migrations/index.ts'
import { thrown } from './mssql-errors.ts'

/** A step rewrites whole tables perhaps, and whoever waits for the lock waits for all steps of another. */
export const migrationTimeoutMs: number = 30 * 60_000

type Planned = Result<readonly PlannedMigration[], StoreOpenError>

const createTable = `CREATE TABLE schema_migrations (
  number int NOT NULL CONSTRAINT schema_migrations_key PRIMARY KEY,
  name nvarchar(200) NOT NULL,
  checksum nvarchar(64) NOT NULL,
  applied_at bigint NOT NULL
);`

/** One instance at a time; the others wait, a minute at most, and then find nothing to do. The lock ends with the transaction. */
export const takeLock: string = `DECLARE @taken int;
EXEC @taken = sp_getapplock @Resource = N'cbp-migrations', @LockMode = N'Exclusive', @LockOwner = N'Transaction', @LockTimeout = 60000;
IF @taken < 0 THROW ${thrown.migrationLock}, N'another instance holds the migrations', 1;`

const addHead = `INSERT INTO store_head (id, epoch, revision, position, recorded_at)
  SELECT 1, @epoch, 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM store_head);`

/** The migrations that the database lacks, in their order; changes nothing. */
export async function plannedMigrations(driver: Pick<Driver, 'run'>, known: readonly MssqlMigration[]): Promise<Planned> {
  const [tables = []] = await driver.run({ sql: 'SELECT name FROM sys.tables WHERE schema_id = SCHEMA_ID()', parameters: {} })
  const plan = known.map(planned)
  if (!tables.some((row) => row['name'] === 'schema_migrations')) {
    return tables.some((row) => row['name'] === 'store_head') ? err(foreignDatabase) : ok(plan)
  }
  const [applied = []]: ResultSets = await driver.run({ sql: 'SELECT number, name, checksum FROM schema_migrations', parameters: {} })
  const numbers = new Set(applied.map((row) => row['number']))
  return checkApplied(applied as unknown as readonly PlannedMigration[], plan).map(() => plan.filter(({ number }) => !numbers.has(number)))
}

/** Brings the database forward, each step in one transaction under one lock for all instances; answers those that it ran. */
export async function runMigrations(
  driver: Driver,
  known: readonly MssqlMigration[],
  { clock, random }: Readonly<{ clock: Pick<Clock, 'now'>; random: Random }>,
): Promise<Planned> {
  const session = driver.session()
  try {
    await session.run({ sql: `SET XACT_ABORT ON; BEGIN TRANSACTION; ${takeLock}`, parameters: {}, transaction: 'begins' })
    const pending = await plannedMigrations(session, known)
    if (pending.isErr()) return pending
    const numbers = new Set(pending.value.map(({ number }) => number))
    if (numbers.size === known.length) await session.run({ sql: createTable, parameters: {} })
    for (const migration of known) if (numbers.has(migration.number)) await apply(session, migration, clock.now())
    await session.run({ sql: `${addHead} COMMIT TRANSACTION;`, parameters: { epoch: newEpoch(random) }, transaction: 'ends' })
    return pending
  } finally {
    await session.end()
  }
}

async function apply(session: Session, migration: MssqlMigration, appliedAt: number): Promise<void> {
  for (const sql of migration.batches) await session.run({ sql, parameters: {} })
  await session.run({
    sql: 'INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (@number, @name, @checksum, @appliedAt);',
    parameters: { ...planned(migration), appliedAt },
  })
}

function planned({ number, name, batches }: MssqlMigration): PlannedMigration {
  return { number, name, checksum: createHash('sha256').update(JSON.stringify(batches)).digest('hex') }
}

const foreignDatabase: StoreOpenError = {
  kind: 'store-open-error',
  cause: 'foreign-database',
  reason: 'the database holds tables of these names that this service did not make; point the setting at another database',
}
