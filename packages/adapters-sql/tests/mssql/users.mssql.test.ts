import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type MssqlStore, openMssqlStore } from '../../src/index.ts'
import { type Driver, openDriver } from '../../src/mssql/driver.ts'
import { parseMssqlUrl } from '../../src/mssql/mssql-url.ts'
import { clock } from '../plain-store.ts'
import { createTestDatabase, serverUrl, type TestDatabase } from './test-database.ts'
import { useCases } from './use-cases.ts'

const script = new URL('../../sql-server/users.sql', import.meta.url)
const random = { fraction: () => Math.random() }

describe.skipIf(serverUrl === undefined)('the user of the service on SQL Server', { timeout: 60_000 }, () => {
  const suffix = randomBytes(4).toString('hex')
  const [migrator, service] = [`cbp_migrator_${suffix}`, `cbp_service_${suffix}`]
  const password = `A1!${randomBytes(12).toString('hex')}`
  let database: TestDatabase
  let master: Driver
  let store: MssqlStore

  beforeAll(async () => {
    database = await createTestDatabase()
    const server = parseMssqlUrl(serverUrl ?? '')._unsafeUnwrap()
    master = await openDriver({ ...server, database: 'master' }, { readOnlyIntent: false, acquireTimeoutMs: 10_000 })
    for (const login of [migrator, service])
      await master.run({ sql: `CREATE LOGIN ${login} WITH PASSWORD = N'${password}'`, parameters: {} })
    const text = await readFile(script, 'utf8')
    const named = text.replaceAll('cbp_migrator', migrator).replaceAll('cbp_service', service)
    const [[version] = []] = await database.driver.run({ sql: 'SELECT @@VERSION AS name', parameters: {} })
    const isSqlServer = String(version?.['name']).startsWith('Microsoft SQL')
    for (const sql of named.split(/^GO$/m)) {
      // Others that speak T-SQL know no rights on a whole database or schema; what the service itself needs, they know.
      const isKnown = isSqlServer || !/GRANT CREATE|DENY/.test(sql)
      if (sql.trim() !== '' && isKnown) await database.driver.run({ sql, parameters: {} })
    }
    const address = { ...database.address, user: service, password }
    store = (await openMssqlStore({ address, migrations: 'check', clock, random }))._unsafeUnwrap()
  }, 120_000)

  afterAll(async () => {
    await store?.close()
    await database.drop()
    for (const login of [migrator, service]) await master.run({ sql: `DROP LOGIN ${login}`, parameters: {} })
    await master.close()
  }, 60_000)

  it('may do what the service does', async () => {
    const cases = useCases(store)
    await cases.put('limit')
    await cases.put('limit', 1)
    const payment = await cases.create('reference')
    await cases.process(payment.id)
    const leased = (await store.outbox.lease({ owner: 'relay', limit: 10, leaseMs: 10_000, eventLimit: 10 }))._unsafeUnwrap()
    const reports = leased.map(
      ({ stream, fence, events }) => ({ kind: 'confirmed', stream, fence, through: events.at(-1)?.sequence ?? 0 }) as const,
    )
    expect((await store.outbox.record(reports))._unsafeUnwrap()).toEqual([])
    expect((await store.paymentStore.dropExpiredKeys(clock.now() + 10 * 24 * 3_600_000, 10))._unsafeUnwrap()).toBe(2)
    expect((await store.webhookStore.dropExpiredIds(clock.now(), 10))._unsafeUnwrap()).toBe(0)
    expect((await store.health()).status).not.toBe('fail')
  })

  it.each([
    "UPDATE versions SET value = N'1'",
    'DELETE FROM versions',
    'DELETE FROM payments',
    'UPDATE payment_history SET version = 0',
    "UPDATE events SET payload = N'{}'",
    'DELETE FROM units',
    'DELETE FROM api_keys',
    'DELETE FROM data_keys',
    'UPDATE audit_records SET times = 0',
    'DELETE FROM audit_records',
    'TRUNCATE TABLE audit_records',
    'CREATE TABLE more (id int NOT NULL)',
    'DROP TABLE events',
    "INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (99, N'x', N'x', 0)",
  ])('may not %s', async (sql) => {
    const own = { ...database.address, user: service, password }
    const driver = await openDriver(own, { readOnlyIntent: false, acquireTimeoutMs: 10_000 })
    await expect(driver.run({ sql, parameters: {} })).rejects.toThrow()
    await driver.close()
  })
})
