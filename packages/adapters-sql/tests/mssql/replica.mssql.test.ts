import { fakeRandom } from '@cbp/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openMssqlStore } from '../../src/index.ts'
import { clock } from '../plain-store.ts'
import { recordLogins } from './login-recorder.ts'
import { createTestDatabase, serverUrl, type TestDatabase } from './test-database.ts'

describe.skipIf(serverUrl === undefined)('a replica of SQL Server', { timeout: 60_000 }, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  }, 120_000)
  afterAll(() => database.drop(), 60_000)

  const ports = { clock, random: fakeRandom(1) }

  it('is asked with read-only intent, and keeps nobody from starting while it is away', async () => {
    const recorder = await recordLogins()
    const replica = { ...database.address, server: '127.0.0.1', port: recorder.port, encrypt: false }
    const store = (await openMssqlStore({ address: database.address, replica, ...ports }))._unsafeUnwrap()
    expect(recorder.logins).toEqual([])
    expect(await store.health()).toMatchObject({ status: 'warn', replica: { status: 'fail' } })
    expect(recorder.logins).toEqual([{ readOnlyIntent: true }])
    await store.close()
    await recorder.close()
  })

  it('answers what is committed', async () => {
    const { address } = database
    const store = (await openMssqlStore({ address, replica: address, ...ports }))._unsafeUnwrap()
    expect((await store.replica?.configStore.head())?._unsafeUnwrap()).toEqual((await store.configStore.head())._unsafeUnwrap())
    expect(await store.health()).toMatchObject({ replica: { status: 'pass' } })
    await store.close()
  })
})
