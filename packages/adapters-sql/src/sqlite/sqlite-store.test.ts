import { rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import type { Address, Stream, Transaction } from '@cbp/core'
import { emit, fakeIds } from '@cbp/core/testing'
import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import { describe, expect, it, vi } from 'vitest'
import { address, appendNext, appendThenRefuse, draft, open, recordNothing } from '../../tests/plain-store.ts'
import { withPath, withStore } from '../../tests/temporary-store.ts'

const other = { ...address, key: 'window' } as Address

describe('units of one batch', () => {
  it(
    'share it although one of them is refused, and that one leaves nothing',
    withStore(async ({ store }) => {
      const ids = fakeIds()
      const outcomes = await Promise.all([
        store.transactions.attempt(ids.next(), (tx) => appendNext(tx)),
        store.transactions.attempt(ids.next(), (tx) => appendThenRefuse(tx, other)),
        store.transactions.attempt(ids.next(), (tx) => appendNext(tx)),
      ])
      expect(outcomes.map((outcome) => outcome.map(({ value, commit }) => [value, commit.revision]).unwrapOr([]))).toEqual([
        [1, 1],
        [],
        [2, 2],
      ])
      expect((await store.configStore.version(other, 1))._unsafeUnwrap()).toBeNull()
    }),
  )

  it(
    'are kept apart from one that throws, whose caller alone hears of it',
    withStore(async ({ store }) => {
      const ids = fakeIds()
      const thrown = store.transactions.attempt(ids.next(), (tx) => {
        tx.config.append(draft(1))
        throw new TypeError('a defect')
      })
      const neighbour = store.transactions.attempt(ids.next(), (tx) => appendNext(tx))
      await expect(thrown).rejects.toThrow('a defect')
      expect((await neighbour)._unsafeUnwrap()).toMatchObject({ value: 1, commit: { revision: 1 } })
    }),
  )

  it(
    'are kept apart from one that leaves a gap between versions, which is a defect',
    withStore(async ({ store }) => {
      const ids = fakeIds()
      const gap = store.transactions.attempt(ids.next(), (tx) => {
        tx.config.append(draft(3))
        return recordNothing()
      })
      const neighbour = store.transactions.attempt(ids.next(), (tx) => appendNext(tx))
      await expect(gap).rejects.toThrow('leaves a gap')
      expect((await neighbour).isOk()).toBe(true)
    }),
  )

  it(
    'are not held up for ever by work that never ends',
    withStore(async ({ store, clock }) => {
      const ids = fakeIds()
      let late: Transaction | null = null
      const stuck = store.transactions.attempt(ids.next(), (tx) => {
        late = tx
        tx.config.append(draft(1))
        return errAsync<never, never>(undefined as never).orElse(() => new Promise<never>(() => {}) as never)
      })
      const neighbour = store.transactions.attempt(ids.next(), (tx) => appendNext(tx))
      await passing(() => clock.advance(6000), Promise.all([stuck, neighbour]))
      expect((await stuck)._unsafeUnwrapErr()).toMatchObject({ kind: 'store-unavailable' })
      expect((await neighbour)._unsafeUnwrap()).toMatchObject({ value: 1 })
      expect(() => (late as Transaction | null)?.config.append(draft(2))).toThrow('has ended')
    }),
  )

  it(
    'see those before them, while readers see only what is committed',
    withStore(async ({ store }) => {
      const ids = fakeIds()
      void store.transactions.attempt(ids.next(), (tx) => appendNext(tx))
      const seen = await store.transactions.attempt(ids.next(), (tx) =>
        tx.config.newest(address).andThen((newest) => store.configStore.head().map((head) => [newest?.version, head.revision])),
      )
      expect(seen._unsafeUnwrap().value).toEqual([1, 0])
    }),
  )
})

describe('durability', () => {
  it.each([
    ['nothing', {}, 'FULL'],
    ['full', { synchronous: 'full' }, 'FULL'],
    ['normal', { synchronous: 'normal' }, 'NORMAL'],
  ] as const)('where %s is asked for is set before the first unit', (_, options, expected) =>
    withStore(async ({ store }) => {
      const executed = vi.spyOn(DatabaseSync.prototype, 'exec')
      await store.transactions.attempt(fakeIds().next(), (tx) => appendNext(tx))
      const pragmas = executed.mock.calls.map(([sql]) => sql).filter((sql) => sql.includes('synchronous'))
      executed.mockRestore()
      expect(pragmas).toEqual([`PRAGMA synchronous = ${expected}`])
    }, options)(),
  )
})

describe('closing', () => {
  it(
    'answers who waits, then refuses',
    withPath(async (path) => {
      const ids = fakeIds()
      const store = await open({ path })
      const waiting = store.transactions.attempt(ids.next(), (tx) => appendNext(tx))
      const [outcome] = await Promise.all([waiting, store.close()])
      expect(outcome.isOk()).toBe(true)
      const late = [
        await store.transactions.attempt(ids.next(), (tx) => appendNext(tx)),
        await store.transactions.settle(ids.next()),
        await store.configStore.head(),
        await store.outbox.record([{ stream: 's' as Stream, fence: 1, kind: 'released' }]),
      ]
      for (const refused of late) expect(refused._unsafeUnwrapErr()).toMatchObject({ kind: 'store-unavailable' })
      expect(await store.health()).toMatchObject({ status: 'fail', reason: 'the store is closed' })
    }),
  )

  it(
    'keeps everything for the next to open it',
    withPath(async (path) => {
      const ids = fakeIds()
      const first = await open({ path })
      const { commit } = (await first.transactions.attempt(ids.next(), (tx) => appendNext(tx)))._unsafeUnwrap()
      await first.close()
      const second = await open({ path })
      expect((await second.transactions.settle(commit.unit))._unsafeUnwrap()).toEqual(commit)
      expect((await second.transactions.attempt(ids.next(), (tx) => appendNext(tx)))._unsafeUnwrap().commit.revision).toBe(2)
      await second.close()
    }),
  )
})

describe('the outbox', () => {
  const stream = 'config-payments' as Stream

  it(
    'raises the fence with every lease, also after a restart',
    withPath(async (path) => {
      const ids = fakeIds()
      const fences: number[] = []
      for (let round = 0; round < 3; round += 1) {
        const store = await open({ path })
        if (round === 0) await store.transactions.attempt(ids.next(), (tx) => appendEvent(tx, stream))
        const [leased] = (await store.outbox.lease({ owner: 'relay', limit: 1, leaseMs: 60_000, eventLimit: 1 }))._unsafeUnwrap()
        fences.push(leased?.fence ?? 0)
        await store.outbox.record([{ stream, fence: leased?.fence ?? 0, kind: 'released' }])
        await store.close()
      }
      expect(fences).toEqual([1, 2, 3])
    }),
  )

  it.each([
    ['before', true],
    ['after', false],
  ])('keeps a stream ready that a writer adds to just %s the relay has emptied it', (_, writesFirst) =>
    withStore(async ({ store, clock }) => {
      const ids = fakeIds()
      await emit({ ...store, clock }, ids, stream)
      const [leased] = (await store.outbox.lease({ owner: 'relay', limit: 1, leaseMs: 1000, eventLimit: 1 }))._unsafeUnwrap()
      const write = (): unknown => store.transactions.attempt(ids.next(), (tx) => appendEvent(tx, stream))
      const { fence } = leased ?? { fence: 0 }
      const confirm = (): unknown => store.outbox.record([{ stream, fence, kind: 'confirmed', through: 1 }])
      await Promise.all(writesFirst ? [write(), confirm()] : [confirm(), write()])
      await store.outbox.record([{ stream, fence, kind: 'released' }])
      const again = (await store.outbox.lease({ owner: 'relay', limit: 1, leaseMs: 1000, eventLimit: 1 }))._unsafeUnwrap()
      expect(again.map(({ events }) => events.map(({ sequence }) => sequence))).toEqual([[2]])
    })(),
  )
})

describe('health', () => {
  it(
    'passes while the file can be read, and tells the head',
    withStore(async ({ store }) => {
      await store.transactions.attempt(fakeIds().next(), (tx) => appendNext(tx))
      expect(await store.health()).toMatchObject({ revision: 1, queued: 0 })
      expect((await store.health()).status).not.toBe('fail')
    }),
  )

  it(
    'fails when the file was removed under it',
    withStore(async ({ store, path }) => {
      await store.health()
      await rm(path)
      expect(await store.health()).toMatchObject({ status: 'fail', reason: expect.stringContaining('removed or replaced') })
    }),
  )
})

function appendEvent(tx: Transaction, stream: Stream): ResultAsync<null, never> {
  const payload = { component: 'payments', details: {}, severity: 'INFO', timestamp: '2026-01-01T00:00:00.000Z' } as const
  tx.outbox.append({ id: fakeIds().next(), stream, event: { type: 'CONFIG_UPDATED', payload }, occurredAt: 0, traceparent: null })
  return okAsync(null)
}

/** Lets time pass, turn by turn, until the promise is settled. */
async function passing(advance: () => Promise<void>, until: Promise<unknown>): Promise<void> {
  let settled = false
  void until.finally(() => {
    settled = true
  })
  while (!settled) {
    await new Promise((resolve) => setImmediate(resolve))
    await advance()
  }
}
