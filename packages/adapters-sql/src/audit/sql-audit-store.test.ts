import { type AuditRecord, timestamp } from '@cbp/core'
import { fakeIds } from '@cbp/core/testing'
import { expect, it } from 'vitest'
import { auditRecord, recording } from '../../tests/sample-records.ts'
import { type Parts, withParts } from '../../tests/store-parts.ts'
import { sqlAuditStore } from './sql-audit-store.ts'

const beyondNumbers = 2n ** 60n
const everything = { action: null, actor: null, subject: null, from: null, to: null }
const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`

/** Two records, of which the second is changed by somebody who has the file. */
function withChanged(change: string, test: (parts: Parts) => Promise<void>): Promise<void> {
  return withParts(async (parts) => {
    const ids = fakeIds()
    const head = { id: 'head', number: 2, mac: 'mac' } as const
    await parts.transactions.attempt(
      ids.next(),
      recording((tx) => {
        tx.auditRecords.insert(auditRecord({ number: 1 }))
        tx.auditRecords.insert(auditRecord({ number: 2, details: { name: 'till 7' } }))
        tx.auditHead.insert(head)
      }),
    )
    parts.writer.exec('DROP TRIGGER audit_records_stay_as_they_are; DROP TRIGGER audit_records_stay')
    parts.writer.exec(change)
    await test(parts)
  })()
}

const changes = [
  ["UPDATE audit_records SET details = 'no JSON' WHERE number = 2", 'details'],
  [`UPDATE audit_records SET details = '${deep}' WHERE number = 2`, 'details'],
  [`UPDATE audit_records SET times = ${beyondNumbers} WHERE number = 2`, 'count'],
  [`UPDATE audit_records SET happened_at = ${beyondNumbers} WHERE number = 2`, 'at'],
  [`UPDATE audit_records SET recorded_at = 9000000000000000 WHERE number = 2`, 'recordedAt'],
  [`UPDATE audit_records SET recorded_at = -${beyondNumbers} WHERE number = 2`, 'recordedAt'],
  [`UPDATE audit_records SET key_version = ${beyondNumbers} WHERE number = 2`, 'keyVersion'],
] as const satisfies readonly (readonly [string, keyof AuditRecord])[]

it.each(changes)('shows a record that nobody could have written as another one, and never fails because of it: %s', (change, member) =>
  withChanged(change, async ({ engine }) => {
    const store = sqlAuditStore(engine)
    const [first, second, ...more] = (await store.auditRecordsAfter(0, 10))._unsafeUnwrap()
    const [newest] = (await store.auditRecords(everything, null, 10))._unsafeUnwrap()
    const written = auditRecord({ number: 2, details: { name: 'till 7' } })
    expect([first, more, newest]).toEqual([auditRecord({ number: 1 }), [], second])
    expect({ ...second, [member]: written[member] }).toEqual(written)
    expect(second?.[member]).not.toEqual(written[member])
    for (const instant of [second?.at ?? 0, second?.recordedAt ?? 0]) expect(timestamp(instant)).toMatch(/^\d{4}-/)
  }),
)

it('leaves out records under numbers that the chain cannot reach, so that the gap shows', () =>
  withChanged(`UPDATE audit_records SET number = ${beyondNumbers} WHERE number = 2`, async ({ engine }) => {
    const store = sqlAuditStore(engine)
    expect((await store.auditRecordsAfter(Number.MIN_SAFE_INTEGER, 10))._unsafeUnwrap()).toEqual([auditRecord({ number: 1 })])
    expect((await store.auditRecords(everything, null, 10))._unsafeUnwrap()).toEqual([auditRecord({ number: 1 })])
  }))

it('shows a head that nobody could have written as another one', () =>
  withChanged(`UPDATE audit_head SET number = ${beyondNumbers}`, async ({ engine }) => {
    expect((await sqlAuditStore(engine).auditHead())._unsafeUnwrap()).toEqual({ id: 'head', number: Number.MAX_SAFE_INTEGER, mac: 'mac' })
  }))
