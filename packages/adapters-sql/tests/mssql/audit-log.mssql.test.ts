import { fakeIds } from '@cbp/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditRecord, recording } from '../sample-records.ts'
import { createTestDatabase, serverUrl, type TestDatabase } from './test-database.ts'

const hour = 3_600_000

describe.skipIf(serverUrl === undefined)('the audit log on SQL Server', { timeout: 60_000 }, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  }, 120_000)
  afterAll(() => database.drop(), 60_000)

  it.each(['UPDATE audit_records SET times = 2', 'DELETE FROM audit_records'])('refuses even to its owner: %s', async (sql) => {
    const { transactions, auditStore } = await database.open()
    await transactions.attempt(
      fakeIds().next(),
      recording((tx) => tx.auditRecords.insert(auditRecord())),
    )
    await expect(database.driver.run({ sql, parameters: {} })).rejects.toThrow('never changed or removed')
    expect((await auditStore.auditRecordsAfter(0, 10))._unsafeUnwrap()).toEqual([auditRecord()])
  })

  it('notes the first and the last number of each hour, in whatever order they come', async () => {
    const { transactions } = await database.open()
    const ids = fakeIds()
    const batches: readonly (readonly (readonly [number: number, recordedAt: number])[])[] = [
      [
        [3, hour],
        [2, 2 * hour],
      ],
      [
        [1, 2 * hour - 1],
        [5, hour + 1],
      ],
    ]
    for (const batch of batches) {
      const add = recording((tx) => {
        for (const [number, recordedAt] of batch) tx.auditRecords.insert(auditRecord({ number, recordedAt }))
      })
      expect((await transactions.attempt(ids.next(), add)).isOk()).toBe(true)
    }
    const [noted] = await database.driver.run({ sql: 'SELECT * FROM audit_hours ORDER BY [hour]', parameters: {} })
    expect(noted).toEqual([
      { hour: 1, first_number: 1, last_number: 5 },
      { hour: 2, first_number: 2, last_number: 2 },
    ])
  })
})
