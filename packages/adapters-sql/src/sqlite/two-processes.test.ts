import type { Component, ConfigKey, Revision, Scope, Uuid } from '@cbp/core'
import { fakeIds } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import { startChild } from '../../tests/children.ts'
import { address, appendNext, open } from '../../tests/plain-store.ts'
import { withPath } from '../../tests/temporary-store.ts'
import type { SqliteStore } from './sqlite-store.ts'

const everything = { component: null as Component | null, scopes: null as readonly Scope[] | null }

async function expectWhole(store: SqliteStore, units: number): Promise<void> {
  const { units: changes } = (await store.configStore.changes(0 as Revision, everything, 1_000_000))._unsafeUnwrap()
  expect(changes.map(({ revision }) => revision)).toEqual(Array.from({ length: units }, (_, index) => index + 1))
  expect(changes.map(({ changes: [change] }) => change?.version)).toEqual(changes.map(({ revision }) => revision))
  const [stream] = (await store.outbox.streams({ blocked: null }, null, 10))._unsafeUnwrap()
  expect(stream?.last).toBe(units)
}

describe('two processes on one file', () => {
  it(
    'lose no write and repeat no revision',
    withPath(async (path) => {
      const children = [1, 2].map(() => startChild('write-storm', path, '8', '40'))
      expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0])
      const store = await open({ path })
      await expectWhole(store, 2 * 8 * 40)
      await store.close()
    }),
    60_000,
  )

  it(
    'leave each other the event loop while one holds the lock',
    withPath(async (path) => {
      const store = await open({ path })
      const holder = startChild('hold-lock', path)
      await holder.lines.next()
      let committed = false
      const attempt = store.transactions
        .attempt(fakeIds().next(), (tx) => appendNext(tx))
        .map((outcome) => {
          committed = true
          return outcome
        })
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1))
      expect((await store.configStore.chain('payments' as Component, 'limit' as ConfigKey, [address.scope], null)).isOk()).toBe(true)
      expect(committed).toBe(false)
      holder.process.stdin?.end()
      expect((await attempt).isOk()).toBe(true)
      await holder.ended
      await store.close()
    }),
    30_000,
  )

  it(
    'tell who waits that the lock is held, when it is held too long',
    withPath(async (path) => {
      const store = await open({ path, limits: { busyMs: 50 } })
      const holder = startChild('hold-lock', path)
      await holder.lines.next()
      const refused = await store.transactions.attempt(fakeIds().next(), (tx) => appendNext(tx))
      expect(refused._unsafeUnwrapErr()).toMatchObject({ kind: 'store-unavailable', reason: expect.stringContaining('another process') })
      holder.process.stdin?.end()
      await holder.ended
      await store.close()
    }),
    30_000,
  )

  it(
    'settle each other’s units',
    withPath(async (path) => {
      const ids = fakeIds()
      const [here, there] = [await open({ path }), await open({ path })]
      const { commit } = (await here.transactions.attempt(ids.next(), (tx) => appendNext(tx)))._unsafeUnwrap()
      const late = ids.next()
      expect((await there.transactions.settle(commit.unit))._unsafeUnwrap()).toEqual(commit)
      expect((await there.transactions.settle(late))._unsafeUnwrap()).toBeNull()
      expect((await here.transactions.attempt(late, (tx) => appendNext(tx)))._unsafeUnwrapErr()).toMatchObject({ kind: 'contended' })
      await here.close()
      await there.close()
    }),
  )
})

it(
  'kill -9 loses nothing that was answered, and leaves no half unit',
  withPath(async (path) => {
    const child = startChild('write-storm', path, '16', '1000000')
    const acknowledged: string[] = []
    for await (const line of child.lines) {
      acknowledged.push(line)
      if (acknowledged.length === 400) child.process.kill('SIGKILL')
    }
    const store = await open({ path })
    // The last line may have been cut off by the kill.
    const whole = acknowledged.filter((line) => /^[0-9a-f-]{36} \d+$/.test(line)).slice(0, 400)
    for (const line of whole) {
      const [unit, revision] = line.split(' ') as [Uuid, string]
      expect((await store.transactions.settle(unit))._unsafeUnwrap()).toMatchObject({ revision: Number(revision) })
    }
    await expectWhole(store, (await store.configStore.head())._unsafeUnwrap().revision)
    await store.close()
  }),
  60_000,
)
