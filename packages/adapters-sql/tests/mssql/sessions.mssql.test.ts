import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Driver, openDriver } from '../../src/mssql/driver.ts'
import { unitSession } from '../../src/mssql/unit-session.ts'
import { clock } from '../plain-store.ts'
import { createEmptyDatabase, type EmptyDatabase, serverUrl } from './test-database.ts'

const begin = { sql: 'BEGIN TRANSACTION; SELECT 1 AS one', parameters: {}, transaction: 'begins' } as const
const look = { sql: 'SELECT @@TRANCOUNT AS open_transactions', parameters: {} } as const

describe.skipIf(serverUrl === undefined)('a session of a pool of one', { timeout: 30_000 }, () => {
  let database: EmptyDatabase
  let driver: Driver
  beforeAll(async () => {
    database = await createEmptyDatabase()
    driver = await openDriver({ ...database.address, poolSize: 1 }, { readOnlyIntent: false, acquireTimeoutMs: 3000 })
  }, 60_000)
  afterAll(async () => {
    await driver.close()
    await database.drop()
  }, 60_000)

  async function expectFree(): Promise<void> {
    expect(await driver.run(look)).toEqual([[{ open_transactions: 0 }]])
    expect(driver.figures()).toMatchObject({ borrowed: 0, pending: 0 })
  }

  it('that ends while it waits for its connection gives that back when it comes', async () => {
    const session = driver.session()
    const asked = session.run(begin).then(
      () => 'answered',
      () => 'refused',
    )
    await session.end()
    await asked
    await expectFree()
  })

  it('that ends while a request is under way leaves no transaction behind', async () => {
    const session = driver.session()
    await session.run(begin)
    const asked = session.run({ sql: "WAITFOR DELAY '00:00:01'; SELECT 1 AS one", parameters: {} }).catch(() => null)
    await clock.sleep(50)
    await session.end()
    await expectFree()
    await asked
  })

  it('takes no connection for what is asked after its end', async () => {
    const session = driver.session()
    await session.end()
    await session.run(begin).catch(() => null)
    await expectFree()
  })

  it('of a unit that ends in the turn in which it asks takes none either', async () => {
    const options = {
      options: '',
      begin: 'BEGIN TRANSACTION;',
      aroundQuery: ['', ''],
      aroundQueries: ['', ''],
      hasSnapshots: true,
    } as const
    const session = unitSession(driver.session(), options)
    const asked = session.ask([{ sql: 'SELECT 1 AS one', parameters: {} }]).catch(() => null)
    await session.end()
    await asked
    await expectFree()
  })
})
