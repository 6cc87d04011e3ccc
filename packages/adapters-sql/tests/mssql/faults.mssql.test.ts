import type { Transaction } from '@cbp/core'
import { fakeIds, fakeRandom } from '@cbp/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type MssqlStore, openMssqlStore } from '../../src/index.ts'
import { address, appendNext, clock } from '../plain-store.ts'
import { type FaultyProxy, faultyProxy } from './faulty-proxy.ts'
import { createTestDatabase, serverUrl, type TestDatabase } from './test-database.ts'
import { useCases } from './use-cases.ts'

describe.skipIf(serverUrl === undefined)('SQL Server behind a network that fails', { timeout: 120_000 }, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  }, 120_000)
  afterAll(() => database.drop(), 60_000)

  async function through(test: (store: MssqlStore, proxy: FaultyProxy) => Promise<void>): Promise<void> {
    await (await database.open()).close?.()
    const { address } = database
    const proxy = await faultyProxy({ host: address.server, port: address.port })
    const throughProxy = { ...address, server: '127.0.0.1', port: proxy.port }
    const store = (await openMssqlStore({ address: throughProxy, clock, random: fakeRandom(1) }))._unsafeUnwrap()
    try {
      await test(store, proxy)
    } finally {
      await proxy.close()
      await store.close()
    }
  }

  async function versions(store: MssqlStore): Promise<readonly number[]> {
    return (await store.configStore.history(address, null, 10))._unsafeUnwrap().map(({ version }) => version)
  }

  const ids = fakeIds()

  it('L0: does not know the outcome when the answer to a flush is lost, and settles it with its commit or for ever without', () =>
    through(async (store, proxy) => {
      const unit = ids.next()
      proxy.fail('cut-after')
      const lost = await store.transactions.attempt(unit, (tx) => appendNext(tx))
      expect(lost._unsafeUnwrapErr()).toMatchObject({ kind: 'outcome-unknown' })
      const settled = (await store.transactions.settle(unit))._unsafeUnwrap()
      expect(await versions(store)).toEqual(settled === null ? [] : [1])
      expect((await store.transactions.settle(unit))._unsafeUnwrap()).toEqual(settled)
    }))

  it('L0: writes nothing of a flush that never arrived', () =>
    through(async (store, proxy) => {
      const unit = ids.next()
      proxy.fail('cut-before')
      expect((await store.transactions.attempt(unit, (tx) => appendNext(tx)))._unsafeUnwrapErr()).toMatchObject({ kind: 'outcome-unknown' })
      expect((await store.transactions.settle(unit))._unsafeUnwrap()).toBeNull()
      expect(await versions(store)).toEqual([])
    }))

  it('L0: never commits a flush that arrives after its unit was settled', () =>
    through(async (store, proxy) => {
      const unit = ids.next()
      proxy.fail('hold')
      const append = (tx: Transaction) => {
        tx.outbox.append({
          id: ids.next(),
          stream: 'system' as never,
          event: { type: 'CONFIG_UPDATED', payload: { component: 'payments', details: {}, severity: 'INFO', timestamp: '' } },
          occurredAt: 1,
          traceparent: null,
        })
        return appendNext(tx).map(() => null)
      }
      expect((await store.transactions.attempt(unit, append))._unsafeUnwrapErr()).toMatchObject({ kind: 'outcome-unknown' })
      expect((await store.transactions.settle(unit))._unsafeUnwrap()).toBeNull()
      proxy.letGo()
      await clock.sleep(300)
      expect(await versions(store)).toEqual([])
      expect((await store.outbox.stream('system' as never))._unsafeUnwrap()).toBeNull()
      expect((await store.transactions.settle(unit))._unsafeUnwrap()).toBeNull()
    }))

  it('L0: gives one effect to each unit of work, though every other answer is lost', () =>
    through(async (store, proxy) => {
      const { put } = useCases(store)
      for (let unit = 0; unit < 6; unit += 1) {
        proxy.fail(unit % 3 === 0 ? 'none' : unit % 3 === 1 ? 'cut-after' : 'cut-before')
        expect((await put('limit', unit)).version).toBe(unit + 1)
      }
      expect((await store.configStore.head())._unsafeUnwrap().revision).toBe(6)
    }))

  it('answers again after every connection was cut', () =>
    through(async (store, proxy) => {
      await Promise.all(Array.from({ length: 5 }, () => store.configStore.head()))
      proxy.cutAll()
      await clock.sleep(20)
      expect((await store.configStore.head()).isOk()).toBe(true)
      expect((await store.health()).status).not.toBe('fail')
    }))

  it('is unavailable, and says so, when nothing listens', () =>
    through(async (store, proxy) => {
      await proxy.close()
      expect((await store.configStore.head())._unsafeUnwrapErr()).toMatchObject({ kind: 'store-unavailable' })
      expect((await store.transactions.attempt(ids.next(), (tx) => appendNext(tx))).isErr()).toBe(true)
      expect(await store.health()).toMatchObject({ status: 'fail', revision: null })
    }))

  it('refuses whoever comes after it was closed', () =>
    through(async (store) => {
      await store.close()
      expect((await store.configStore.head())._unsafeUnwrapErr()).toMatchObject({ kind: 'store-unavailable' })
      await store.close()
    }))
})
