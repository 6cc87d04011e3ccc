import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itHolds } from '../kernel/testing/property.ts'
import { expectOk } from '../testing/store-units.ts'
import type { AuditVerdict } from './audit-service.ts'
import { type AuditWorld, anyDraft, auditWorld, made, recordAll } from './testing/audit-world.ts'
import { anyTampering, type StoredChain, storeOf, tampered } from './testing/tampering.ts'

async function chainOf({ ports }: AuditWorld): Promise<StoredChain> {
  return { records: await expectOk(ports.auditStore.auditRecordsAfter(0, 10_000)), head: await expectOk(ports.auditStore.auditHead()) }
}

/** Another instance verifies what is stored now. */
async function verdictOn({ ports }: AuditWorld, chain: StoredChain, anchor: StoredChain['head'] = null): Promise<AuditVerdict> {
  return expectOk(auditWorld({ ...ports, auditStore: storeOf(chain) }).audit.verify(anchor))
}

async function worldOf(length: number): Promise<Readonly<{ world: AuditWorld; chain: StoredChain }>> {
  const world = auditWorld()
  await recordAll(
    world,
    Array.from({ length }, (_, index) => ({ ...made, subject: `api-key/${index}` })),
  )
  return { world, chain: await chainOf(world) }
}

describe('a chain of audit records', () => {
  itHolds(
    'fits as it was stored, whatever the records hold',
    50,
    fc.asyncProperty(fc.array(anyDraft, { maxLength: 6 }), async (drafts) => {
      const world = auditWorld()
      await recordAll(world, drafts)
      const verdict = await verdictOn(world, await chainOf(world))
      expect(verdict).toMatchObject({ checked: drafts.length, faults: [] })
    }),
  )

  itHolds(
    'shows any single thing that was done to it',
    400,
    fc.asyncProperty(fc.array(anyDraft, { minLength: 1, maxLength: 8 }), anyTampering, async (drafts, tampering) => {
      const world = auditWorld()
      await recordAll(world, drafts)
      const chain = await chainOf(world)
      const after = tampered(chain, tampering)
      fc.pre(JSON.stringify(after) !== JSON.stringify(chain))
      expect((await verdictOn(world, after)).faults).not.toEqual([])
    }),
  )

  it('names the one that was changed, and no other', async () => {
    const { world, chain } = await worldOf(6)
    for (const field of ['actor', 'details', 'mac', 'count'] as const) {
      const { faults } = await verdictOn(world, tampered(chain, { kind: 'change', at: 0.5, field }))
      expect(faults).toEqual([{ number: 4, reason: 'changed' }])
    }
  })

  it('names those that were removed', async () => {
    const { world, chain } = await worldOf(6)
    expect((await verdictOn(world, { ...chain, records: chain.records.toSpliced(1, 2) })).faults).toEqual([
      { number: 2, reason: 'missing' },
      { number: 3, reason: 'missing' },
    ])
  })

  it('names those that were swapped, next to each other or apart', async () => {
    const { world, chain } = await worldOf(8)
    for (const [left, right] of [
      [2, 3],
      [1, 6],
      [0, 7],
    ] as const) {
      const { faults } = await verdictOn(world, tampered(chain, { kind: 'swap', at: left / 8, with: right / 8 }))
      expect(faults).toEqual([
        { number: left + 1, reason: 'out-of-place' },
        { number: right + 1, reason: 'out-of-place' },
      ])
    }
  })

  it('names one that was put there a second time', async () => {
    const { world, chain } = await worldOf(4)
    expect((await verdictOn(world, tampered(chain, { kind: 'duplicate', at: 0.5 }))).faults).toEqual([
      { number: 5, reason: 'out-of-place' },
    ])
  })

  it('names where it was cut off, and with an anchor also when its head was cut off with it', async () => {
    const { world, chain } = await worldOf(6)
    const records = chain.records.slice(0, 4)
    expect((await verdictOn(world, { ...chain, records })).faults).toEqual([{ number: 5, reason: 'cut-off' }])
    const last = records[3] as (typeof records)[0]
    const cutWithHead = { records, head: { id: 'head', number: 4, mac: last.mac } as const }
    expect((await verdictOn(world, cutWithHead)).faults).toEqual([])
    expect((await verdictOn(world, cutWithHead, chain.head)).faults).toEqual([{ number: 5, reason: 'cut-off' }])
  })

  it('does not fit an anchor of another chain', async () => {
    const [{ world, chain }, other] = [await worldOf(3), await worldOf(2)]
    const anchor = { ...(other.chain.head as NonNullable<StoredChain['head']>), mac: 'elsewhere' }
    expect((await verdictOn(world, chain, anchor)).faults).toEqual([{ number: 2, reason: 'changed' }])
  })

  it('names those whose key is not there', async () => {
    const { world, chain } = await worldOf(3)
    const records = chain.records.map((each) => (each.number === 2 ? { ...each, keyVersion: 9 } : each))
    expect((await verdictOn(world, { ...chain, records })).faults).toEqual([{ number: 2, reason: 'unknown-key' }])
  })

  it('is followed in pages, tells how far it is, and is no fault while it grows', async () => {
    const { world, chain } = await worldOf(600)
    const told: (readonly [number, number])[] = []
    const verifying = world.audit.verify(null, (checked, of) => told.push([checked, of]))
    await recordAll(world, [made, made])
    expect(await expectOk(verifying)).toMatchObject({ faults: [], head: { number: 602 } })
    expect(told.map(([checked]) => checked).slice(0, 3)).toEqual([250, 500, 602])
    expect(chain.records).toHaveLength(600)
  })

  it('that does not fit from end to end tells the first hundred, in bounded time', async () => {
    const { world, chain } = await worldOf(400)
    const { faults } = await verdictOn(world, { ...chain, records: chain.records.map((each) => ({ ...each, actor: 'me' })) })
    expect(faults.map(({ number }) => number)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
  })
})
