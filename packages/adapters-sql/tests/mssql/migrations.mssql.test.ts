import { fakeClock, fakeRandom } from '@cbp/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openMssqlStore, planMssqlMigrations } from '../../src/index.ts'
import { openDriver } from '../../src/mssql/driver.ts'
import { mssqlMigrations } from '../../src/mssql/migrations/index.ts'
import { takeLock } from '../../src/mssql/mssql-migrate.ts'
import { open, plan } from '../../src/mssql/mssql-store.ts'
import { clock } from '../plain-store.ts'
import { createEmptyDatabase, type EmptyDatabase, serverUrl } from './test-database.ts'

describe.skipIf(serverUrl === undefined)('migrations on SQL Server', { timeout: 60_000 }, () => {
  let database: EmptyDatabase
  beforeEach(async () => {
    database = await createEmptyDatabase()
  }, 60_000)
  afterEach(() => database.drop(), 60_000)

  const ports = { clock: fakeClock(), random: fakeRandom(1) }

  it('run once, however many instances start at once', async () => {
    const opened = await Promise.all(
      [1, 2, 3].map((seed) => openMssqlStore({ address: database.address, clock: fakeClock(), random: fakeRandom(seed) })),
    )
    const stores = opened.map((store) => store._unsafeUnwrap())
    const epochs = await Promise.all(stores.map(async (store) => (await store.configStore.head())._unsafeUnwrap().epoch))
    expect(new Set(epochs).size).toBe(1)
    await Promise.all(stores.map((store) => store.close()))
    expect((await planMssqlMigrations(database.address))._unsafeUnwrap()).toEqual([])
  })

  it('wait for those that another instance runs, for longer than a request may take', async () => {
    const other = await openDriver(database.address, { readOnlyIntent: false, acquireTimeoutMs: 20_000 })
    const running = other.session()
    await running.run({ sql: `BEGIN TRANSACTION; ${takeLock}`, parameters: {}, transaction: 'begins' })
    const opening = openMssqlStore({ address: { ...database.address, requestTimeoutMs: 5000 }, ...ports })
    await clock.sleep(7000)
    await running.end()
    await other.close()
    await (await opening)._unsafeUnwrap().close()
  })

  it('are planned without being run', async () => {
    const planned = (await planMssqlMigrations(database.address))._unsafeUnwrap()
    expect(planned.map(({ number, name }) => ({ number, name }))).toEqual(mssqlMigrations.map(({ number, name }) => ({ number, name })))
    expect((await planMssqlMigrations(database.address))._unsafeUnwrap()).toEqual(planned)
  })

  it('are left to others where this login may only check', async () => {
    const refused = await openMssqlStore({ address: database.address, migrations: 'check', ...ports })
    expect(refused._unsafeUnwrapErr()).toMatchObject({ kind: 'store-open-error', cause: 'older-database' })
    await (await openMssqlStore({ address: database.address, ...ports }))._unsafeUnwrap().close()
    await (await openMssqlStore({ address: database.address, migrations: 'check', ...ports }))._unsafeUnwrap().close()
  })

  it('only go forward: a database that is newer, or whose steps have changed, is refused', async () => {
    const more = [...mssqlMigrations, { number: 99, name: 'later', batches: ['CREATE TABLE later (id int NOT NULL)'] }]
    await (await open({ address: database.address, ...ports }, more))._unsafeUnwrap().close()
    expect((await plan(database.address, mssqlMigrations))._unsafeUnwrapErr()).toMatchObject({ cause: 'newer-database' })
    const changed = more.map((migration) => ({ ...migration, batches: [...migration.batches, ' '] }))
    expect((await open({ address: database.address, ...ports }, changed))._unsafeUnwrapErr()).toMatchObject({ cause: 'changed-migration' })
  })

  it('leave nothing behind when one of them fails', async () => {
    const broken = [...mssqlMigrations, { number: 99, name: 'broken', batches: ['CREATE TABLE broken (id nonsense NOT NULL)'] }]
    expect((await open({ address: database.address, ...ports }, broken)).isErr()).toBe(true)
    expect((await plan(database.address, mssqlMigrations))._unsafeUnwrap()).toHaveLength(mssqlMigrations.length)
  })

  it('are not tried where the server cannot be reached', async () => {
    const address = { ...database.address, port: 1 }
    expect((await openMssqlStore({ address, ...ports }))._unsafeUnwrapErr()).toMatchObject({ cause: 'unreachable' })
  })
})
