import type { Driver } from './driver.ts'

/** What a server needs around the statements of this store. */
export type ServerTraits = Readonly<{
  /** Begins every batch inside a transaction: options that are set within a batch end with it. */
  options: string
  begin: string
  /** Around a single SELECT outside of a transaction, and around several that have to agree. */
  aroundQuery: Around
  aroundQueries: Around
  /** Whether readers see a snapshot instead of waiting for writers. */
  hasSnapshots: boolean
}>

type Around = readonly [before: string, after: string]

const options = 'SET NOCOUNT ON; SET XACT_ABORT ON; SET LOCK_TIMEOUT 5000;'

const look = `SELECT CASE WHEN @@VERSION LIKE N'Babelfish%' THEN 1 ELSE 0 END AS lockless,
  (SELECT snapshot_isolation_state FROM sys.databases WHERE name = DB_NAME()) AS snapshots,
  (SELECT CAST(is_read_committed_snapshot_on AS int) FROM sys.databases WHERE name = DB_NAME()) AS versions`

export async function readServerTraits(driver: Driver): Promise<ServerTraits> {
  const [[row] = []] = await driver.run({ sql: look, parameters: {} })
  return serverTraits({
    isLockless: row?.['lockless'] === 1,
    hasSnapshots: row?.['snapshots'] === 1,
    hasReadCommittedSnapshots: row?.['versions'] === 1,
  })
}

type Seen = Readonly<{ isLockless: boolean; hasSnapshots: boolean; hasReadCommittedSnapshots: boolean }>

/**
 * Readers of several statements need one state of the data: that of SNAPSHOT isolation where the database allows it, else
 * that under a shared lock on the head, which every writer of configuration has to change before its rows.
 *
 * An engine that speaks T-SQL but takes no lock with a SELECT, whatever the hints, is asked for SERIALIZABLE instead: it
 * finds out at the COMMIT what SQL Server prevents by locks.
 */
export function serverTraits({ isLockless, hasSnapshots, hasReadCommittedSnapshots }: Seen): ServerTraits {
  const level = isLockless ? 'SERIALIZABLE' : 'READ COMMITTED'
  const snapshot: Around = [`SET NOCOUNT ON; SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION;`, 'COMMIT TRANSACTION;']
  const locked: Around = [
    `${options} BEGIN TRANSACTION; DECLARE @held bigint; SELECT @held = revision FROM store_head WITH (HOLDLOCK, ROWLOCK);`,
    'COMMIT TRANSACTION;',
  ]
  const agreed = hasSnapshots || isLockless ? snapshot : locked
  return {
    options,
    begin: `SET TRANSACTION ISOLATION LEVEL ${level}; BEGIN TRANSACTION;`,
    aroundQuery: hasReadCommittedSnapshots || isLockless ? ['', ''] : agreed,
    aroundQueries: agreed,
    hasSnapshots: hasSnapshots || isLockless,
  }
}
