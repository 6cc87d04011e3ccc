import { randomBytes } from 'node:crypto'
import { fakeClock, fakeRandom, type StoreHarness } from '@cbp/core/testing'
import { type Driver, openDriver } from '../../src/mssql/driver.ts'
import { mssqlMigrations } from '../../src/mssql/migrations/index.ts'
import { runMigrations } from '../../src/mssql/mssql-migrate.ts'
import { type MssqlStore, storeOver } from '../../src/mssql/mssql-store.ts'
import { type MssqlAddress, parseMssqlUrl } from '../../src/mssql/mssql-url.ts'
import { clock } from '../plain-store.ts'

/** Where the tests find a SQL Server; without it they are skipped. */
export const serverUrl: string | undefined = process.env['CBP_TEST_MSSQL_URL']

/** A database of its own on that server, dropped when it is closed. */
export type TestDatabase = Readonly<{
  address: MssqlAddress
  driver: Driver
  /** A store over it, emptied. */
  open(): Promise<StoreHarness & Readonly<{ store: MssqlStore }>>
  drop(): Promise<void>
}>

const options = { readOnlyIntent: false, acquireTimeoutMs: 20_000 }

export type EmptyDatabase = Readonly<{ url: string; address: MssqlAddress; drop(): Promise<void> }>

/** A database without a table. */
export async function createEmptyDatabase(): Promise<EmptyDatabase> {
  const server = parseMssqlUrl(serverUrl ?? '')._unsafeUnwrap()
  const database = `cbp_test_${randomBytes(6).toString('hex')}`
  const master = await openDriver({ ...server, database: 'master', poolSize: 1 }, options)
  await untilDone(() => master.run({ sql: `CREATE DATABASE ${database}`, parameters: {} }))
  const address: MssqlAddress = { ...server, database }
  return {
    url: urlOf(address),
    address,
    async drop() {
      await untilDone(() => master.run({ sql: `DROP DATABASE ${database}`, parameters: {} }))
      await master.close()
    },
  }
}

/** Others make databases at the same time, and a session that was closed a moment ago may still count as one that uses this one. */
async function untilDone(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return void (await work())
    } catch (error) {
      if (tries === 100) throw error
    }
    await clock.sleep(100)
  }
}

export async function createTestDatabase(): Promise<TestDatabase> {
  const empty = await createEmptyDatabase()
  const driver = await openDriver(empty.address, options)
  ;(await runMigrations(driver, mssqlMigrations, { clock: fakeClock(), random: fakeRandom(1) }))._unsafeUnwrap()
  return {
    address: empty.address,
    driver,
    async open() {
      await driver.run({ sql: emptyAll, parameters: {} })
      const time = fakeClock()
      const store = await storeOver({ primary: driver, replica: null }, { clock: time, random: fakeRandom(1) })
      // The pool is the file's, so that not every test has to log in anew.
      return { ...store, store, clock: time, close: async () => undefined }
    },
    async drop() {
      await driver.close()
      await empty.drop()
    },
  }
}

function urlOf({ server, port, database, user, password, encrypt, trustServerCertificate }: MssqlAddress): string {
  const [name, secret] = [user, password].map(encodeURIComponent)
  return `mssql://${name}:${secret}@${server}:${port}/${database}?encrypt=${encrypt}&trustServerCertificate=${trustServerCertificate}`
}

const tables = `units versions entries component_totals streams events stream_leases ready_streams inbox_positions dead_letters payments
payment_tallies payment_hours payment_references payment_history discrepancies idempotency_keys received_webhooks subscriptions
webhook_lanes webhook_deliveries api_keys api_key_uses data_keys audit_head audit_hours`.split(/\s+/)

/** Audit records are never deleted, only their table is emptied. */
const emptyAll = `SET NOCOUNT ON; TRUNCATE TABLE audit_records; ${tables.map((table) => `DELETE FROM ${table};`).join(' ')}
UPDATE store_head SET revision = 0, position = 0, recorded_at = 0;`
