import { fakeIds } from '@cbp/core/testing'
import { expect, it } from 'vitest'
import { auditRecord, recording } from '../../tests/sample-records.ts'
import { withParts } from '../../tests/store-parts.ts'

const hour = 3_600_000

it.each(['UPDATE audit_records SET times = 2', 'UPDATE audit_records SET number = 3 WHERE number = 1', 'DELETE FROM audit_records'])(
  'refuses any statement that changes or removes records: %s',
  (sql) =>
    withParts(async ({ transactions, writer }) => {
      await transactions.attempt(
        fakeIds().next(),
        recording((tx) => tx.auditRecords.insert(auditRecord())),
      )
      expect(() => writer.exec(sql)).toThrow('audit records are never')
      expect(writer.all({ sql: 'SELECT number, times FROM audit_records', parameters: {} })).toEqual([{ number: 1, times: 1 }])
    })(),
)

it(
  'refuses a unit that updates a record, and no other unit of its batch',
  withParts(async ({ transactions, writer }) => {
    const ids = fakeIds()
    const add = (number: number) =>
      transactions.attempt(
        ids.next(),
        recording((tx) => tx.auditRecords.insert(auditRecord({ number }))),
      )
    await add(1)
    const update = transactions.attempt(ids.next(), (tx) =>
      tx.auditRecords.find({ number: 1 }).map(() => tx.auditRecords.update(auditRecord({ count: 2 }))),
    )
    const neighbour = add(2)
    await expect(update).rejects.toThrow('kept as it is')
    expect((await neighbour).isOk()).toBe(true)
    const kept = writer.all({ sql: 'SELECT number, times FROM audit_records ORDER BY number', parameters: {} })
    expect(kept).toEqual([
      { number: 1, times: 1 },
      { number: 2, times: 1 },
    ])
  }),
)

it(
  'notes the first and the last number of each hour, in whatever order they come',
  withParts(async ({ transactions, writer }) => {
    const ids = fakeIds()
    const times: readonly (readonly [number: number, recordedAt: number])[] = [
      [3, hour],
      [1, 2 * hour - 1],
      [5, hour + 1],
      [2, 2 * hour],
    ]
    for (const [number, recordedAt] of times) {
      await transactions.attempt(
        ids.next(),
        recording((tx) => tx.auditRecords.insert(auditRecord({ number, recordedAt }))),
      )
    }
    expect(writer.all({ sql: 'SELECT * FROM audit_hours ORDER BY [hour]', parameters: {} })).toEqual([
      { hour: 1, first_number: 1, last_number: 5 },
      { hour: 2, first_number: 2, last_number: 2 },
    ])
  }),
)
