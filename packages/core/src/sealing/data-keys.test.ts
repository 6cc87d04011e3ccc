import { errAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { storeUnavailable } from '../kernel/failures.ts'
import { fakeKeyRing } from '../kernel/testing/fake-key-ring.ts'
import { unitOfWork } from '../kernel/unit-of-work.ts'
import type { Ports } from '../ports.ts'
import { fakePorts } from '../testing/fake-ports.ts'
import { expectOk } from '../testing/store-units.ts'
import type { Transaction } from '../transaction.ts'
import { dataKeyContext } from './data-key.ts'
import { type DataKeys, dataKeys } from './data-keys.ts'

function keysOver(ports: Ports): DataKeys {
  return dataKeys({ ...ports, unitOfWork: unitOfWork<Transaction>(ports) })
}

describe('data keys', () => {
  it('are made at first use, sealed under their purpose and version', async () => {
    const ports = fakePorts()
    const { version, keyBase64 } = await expectOk(keysOver(ports).current('audit-chain'))
    const [row, ...others] = await expectOk(ports.dataKeyStore.dataKeys(null))
    expect(others).toEqual([])
    expect(row).toMatchObject({ purpose: 'audit-chain', version })
    const context = dataKeyContext({ purpose: 'audit-chain', version: 1 })
    expect(ports.keyRing.unseal(row?.sealed ?? '', context)._unsafeUnwrap()).toBe(keyBase64.reveal())
    expect(keyBase64.reveal()).toMatch(/^[A-Za-z0-9+/]{43}=$/)
  })

  it('are the same for all that make the first one at once, and for those that come later', async () => {
    const ports = fakePorts()
    const racing = Array.from({ length: 8 }, () => keysOver(ports).current('api-key-pepper'))
    const opened = Promise.all(racing.map(expectOk))
    while (await ports.clock.advanceToNext());
    const secrets = [...(await opened), await expectOk(keysOver(ports).current('api-key-pepper'))].map(({ keyBase64 }) =>
      keyBase64.reveal(),
    )
    expect(new Set(secrets).size).toBe(1)
    expect(await expectOk(ports.dataKeyStore.dataKeys(null))).toHaveLength(1)
  })

  it('are another for each purpose', async () => {
    const keys = keysOver(fakePorts())
    const [pepper, chain] = [await expectOk(keys.current('api-key-pepper')), await expectOk(keys.current('audit-chain'))]
    expect(pepper.keyBase64.reveal()).not.toBe(chain.keyBase64.reveal())
  })

  it('are answered from memory once they are open', async () => {
    const ports = fakePorts()
    const keys = keysOver(ports)
    const { keyBase64 } = await expectOk(keys.current('audit-chain'))
    const away = { ...ports, dataKeyStore: { dataKeys: () => errAsync(storeUnavailable('away')) } }
    expect((await keysOver(away).current('audit-chain'))._unsafeUnwrapErr().kind).toBe('store-unavailable')
    Object.assign(ports.dataKeyStore, away.dataKeyStore)
    expect((await expectOk(keys.at('audit-chain', 1))).keyBase64.reveal()).toBe(keyBase64.reveal())
    expect((await expectOk(keys.current('audit-chain'))).version).toBe(1)
  })

  it('of a version that there is none of are told apart from a store that is away', async () => {
    const unusable = (await keysOver(fakePorts()).at('audit-chain', 7))._unsafeUnwrapErr()
    expect(unusable).toEqual({ kind: 'data-key-unusable', purpose: 'audit-chain', version: 7, reason: 'there is none' })
  })

  it('that the ring does not open are not used, nor replaced, and the log tells', async () => {
    const ports = fakePorts()
    await expectOk(keysOver(ports).current('audit-chain'))
    const elsewhere = fakePorts({ ...ports, keyRing: fakeKeyRing(['another']) })
    const keys = keysOver(elsewhere)
    expect((await keys.current('audit-chain'))._unsafeUnwrapErr().reason).toContain('its key is not on the ring')
    expect((await keys.at('audit-chain', 1))._unsafeUnwrapErr().kind).toBe('data-key-unusable')
    expect(await expectOk(ports.dataKeyStore.dataKeys(null))).toHaveLength(1)
    expect(ports.log.entries[0]).toMatchObject({ level: 'error', fields: { purpose: 'audit-chain', version: 1 } })
  })
})
