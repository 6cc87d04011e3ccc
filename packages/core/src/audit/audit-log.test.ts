import { errAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { cancelSource } from '../kernel/cancel.ts'
import { storeUnavailable } from '../kernel/failures.ts'
import { expectOk } from '../testing/store-units.ts'
import { parseAnchor } from './anchor.ts'
import type { AuditFilter } from './ports/audit-store.ts'
import { auditWorld, keepNotesFor, made, recordAll, refused } from './testing/audit-world.ts'

const everything: AuditFilter = { action: null, actor: null, subject: null, from: null, to: null }

describe('a record', () => {
  it('carries nothing personal that somebody wrote into the id of a request or the name of a subject', async () => {
    const world = auditWorld()
    const uuid = '01a205e6-af97-75d4-884e-b399f9d0de57'
    await recordAll(world, [
      { ...made, requestId: '4111-1111-1111-1111', subject: 'client/joe@example.com' },
      { ...made, requestId: uuid, subject: `api-key/${uuid}` },
    ])
    const { items } = await expectOk(world.audit.records(everything, null, 10))
    expect(items).toMatchObject([
      { requestId: uuid, subject: `api-key/${uuid}` },
      { requestId: '[masked card]', subject: 'client/[masked email]' },
    ])
  })

  it('keeps an actor short enough for every store, also where the store marks a blank at its end', async () => {
    const world = auditWorld()
    await recordAll(world, [{ ...made, actor: ' '.repeat(1000) }])
    const { items } = await expectOk(world.audit.records(everything, null, 10))
    expect(items[0]?.actor).toHaveLength(399)
  })
})

describe('the audit log', () => {
  it('numbers its records without gaps, each chained to the one before, also when many append at once', async () => {
    const world = auditWorld()
    const record = await expectOk(world.audit.openTrail())
    const racing = Array.from({ length: 10 }, () => world.units.run((tx) => record(tx, made)))
    const all = Promise.all(racing.map(expectOk))
    while (await world.ports.clock.advanceToNext());
    await all
    const { items } = await expectOk(world.audit.records(everything, null, 100))
    expect(items.map(({ number }) => number)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
    expect(await expectOk(world.audit.verify(null))).toMatchObject({ checked: 10, faults: [], head: { number: 10, mac: items[0]?.mac } })
  })

  it('keeps no record of a unit that was refused', async () => {
    const world = auditWorld()
    const record = await expectOk(world.audit.openTrail())
    await world.units.run((tx) => record(tx, made).andThen(() => errAsync('refused' as const)))
    expect((await expectOk(world.audit.records(everything, null, 100))).items).toEqual([])
    expect((await expectOk(world.audit.verify(null))).head).toBeNull()
  })

  it('pages newest first', async () => {
    const world = auditWorld()
    await recordAll(world, [made, made, made])
    const first = await expectOk(world.audit.records(everything, null, 2))
    expect([first.items.map(({ number }) => number), first.next]).toEqual([[3, 2], 2])
    const second = await expectOk(world.audit.records(everything, first.next, 2))
    expect([second.items.map(({ number }) => number), second.next]).toEqual([[1], null])
  })

  it('keeps no secret in the details of a record', async () => {
    const world = auditWorld()
    await recordAll(world, [{ ...made, details: { reason: 'sent Bearer 0123456789abcdef0123456789abcdef', password: 'hunter2' } }])
    const [item] = (await expectOk(world.audit.records(everything, null, 1))).items
    expect(item?.details).toEqual({ reason: 'sent Bearer [masked secret]', password: '[masked secret]' })
    expect((await expectOk(world.audit.verify(null))).faults).toEqual([])
  })

  it('cuts what is longer than a store keeps', async () => {
    const world = auditWorld()
    await recordAll(world, [{ ...made, actor: 'a'.repeat(1000), subject: 's\0'.repeat(1000), requestId: 'r'.repeat(1000) }])
    const [item] = (await expectOk(world.audit.records(everything, null, 1))).items
    expect([item?.actor.length, item?.subject?.length, item?.requestId?.length]).toEqual([399, 399, 200])
    expect((await expectOk(world.audit.verify(null))).faults).toEqual([])
  })
})

describe('refusals', () => {
  it('that are alike become one record a minute, with their number and the first of them', async () => {
    const world = auditWorld()
    const { signal, cancel } = cancelSource()
    const startedAt = world.ports.clock.now()
    for (let index = 0; index < 1000; index += 1) world.audit.note({ ...refused, requestId: `request-${index}` })
    world.audit.note({ ...refused, actor: '203.0.113.8' })
    await keepNotesFor(world, 60_000, signal)
    const { items } = await expectOk(world.audit.records(everything, null, 100))
    expect(items.map(({ actor, count, requestId, at, outcome }) => ({ actor, count, requestId, at, outcome }))).toEqual([
      { actor: '203.0.113.8', count: 1, requestId: 'request-2', at: startedAt, outcome: 'refused' },
      { actor: '203.0.113.7', count: 1000, requestId: 'request-0', at: startedAt, outcome: 'refused' },
    ])
    cancel()
  })

  it('of more actors than can be told apart are counted together', async () => {
    const world = auditWorld()
    const { signal, cancel } = cancelSource()
    for (let index = 0; index < 5000; index += 1) world.audit.note({ ...refused, actor: `192.0.2.${index}` })
    await keepNotesFor(world, 60_000, signal)
    const { items } = await expectOk(world.audit.records(everything, null, 1000))
    expect(items).toHaveLength(257)
    expect(items.reduce((sum, { count }) => sum + count, 0)).toBe(5000)
    expect(items[0]).toMatchObject({ actor: '*', count: 5000 - 256 })
    expect((await expectOk(world.audit.verify(null))).faults).toEqual([])
    cancel()
  })

  it('are written when the process ends', async () => {
    const world = auditWorld()
    const { signal, cancel } = cancelSource()
    const keeping = world.audit.keepNotes(signal)
    world.audit.note(refused)
    cancel()
    await keeping
    expect((await expectOk(world.audit.records(everything, null, 100))).items).toHaveLength(1)
  })

  it('are kept for the next time when the store is away', async () => {
    const world = auditWorld()
    const { signal, cancel } = cancelSource()
    const { dataKeys } = world.ports.dataKeyStore
    Object.assign(world.ports.dataKeyStore, { dataKeys: () => errAsync(storeUnavailable('away')) })
    world.audit.note(refused)
    await keepNotesFor(world, 60_000, signal)
    Object.assign(world.ports.dataKeyStore, { dataKeys })
    world.audit.note(refused)
    await world.ports.clock.advance(60_000)
    expect((await expectOk(world.audit.records(everything, null, 100))).items).toMatchObject([{ count: 2 }])
    cancel()
  })

  it('leave the end of the chain in the log at the start and once an hour', async () => {
    const world = auditWorld()
    const { signal, cancel } = cancelSource()
    await recordAll(world, [made])
    await keepNotesFor(world, 3_600_000, signal)
    const told = world.ports.log.entries.filter(({ message }) => message === 'the end of the audit log')
    const anchors = told.map(({ fields }) => parseAnchor(String(fields['anchor'])))
    const { number, mac } = (await expectOk(world.audit.verify(anchors[0] ?? null))).head ?? {}
    expect(anchors).toEqual([
      { number, mac },
      { number, mac },
    ])
    cancel()
  })
})
