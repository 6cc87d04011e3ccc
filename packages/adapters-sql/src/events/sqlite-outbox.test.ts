import { DatabaseSync } from 'node:sqlite'
import type { LeasedStream, Stream } from '@cbp/core'
import { emit, fakeIds } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import { type Opened, withStore } from '../../tests/temporary-store.ts'

const stream = 'config-payments' as Stream
const other = 'config-users' as Stream
const leaseMs = 1000

async function lease({ store }: Opened, eventLimit = 10): Promise<readonly LeasedStream[]> {
  return (await store.outbox.lease({ owner: 'relay', limit: 10, leaseMs, eventLimit }))._unsafeUnwrap()
}

const ids = fakeIds()

async function emitOn({ store, clock }: Opened, ...streams: readonly Stream[]): Promise<void> {
  await emit({ ...store, clock }, ids, ...streams)
}

/** Looks into, or damages, the file behind the store. */
function sql(path: string, text: string): readonly unknown[] {
  const database = new DatabaseSync(path)
  try {
    return database.prepare(text).all()
  } finally {
    database.close()
  }
}

describe('confirmations', () => {
  it(
    'move the backlog to the next event, and end it with the last',
    withStore(async (opened) => {
      const { store, clock } = opened
      await emitOn(opened, stream)
      await clock.advance(5)
      await emitOn(opened, stream)
      const fence = (await lease(opened))[0]?.fence ?? 0
      await store.outbox.record([{ stream, fence, kind: 'confirmed', through: 1 }])
      expect((await store.outbox.backlog())._unsafeUnwrap()).toEqual({ events: 1, blockedStreams: 0, oldest: clock.now() })
      await store.outbox.record([{ stream, fence, kind: 'confirmed', through: 2 }])
      expect(sql(opened.path, 'SELECT stream FROM ready_streams')).toEqual([])
    }),
  )
})

describe('unblocking a stream that is not blocked', () => {
  it(
    'leaves it to the relay that leases it',
    withStore(async (opened) => {
      await emitOn(opened, stream)
      const fence = (await lease(opened))[0]?.fence ?? 0
      await opened.store.outbox.unblock(stream)
      expect(await lease(opened)).toEqual([])
      expect((await opened.store.outbox.renew([{ stream, fence }], leaseMs))._unsafeUnwrap()).toEqual([{ stream, fence }])
    }),
  )

  it(
    'leaves it waiting for its retry, with its refusals counted',
    withStore(async (opened) => {
      await emitOn(opened, stream)
      const fence = (await lease(opened))[0]?.fence ?? 0
      const retryAt = opened.clock.now() + leaseMs
      await opened.store.outbox.record([{ stream, fence, kind: 'refused', sequence: 1, reason: 'no room', retryAt }])
      expect((await opened.store.outbox.unblock(stream))._unsafeUnwrap()).toMatchObject({ refusals: 1, blocked: null })
      expect(await lease(opened)).toEqual([])
      await opened.clock.advance(leaseMs)
      expect(await lease(opened)).toMatchObject([{ stream, refusals: 1 }])
    }),
  )
})

describe('a ready stream without an unconfirmed event', () => {
  it(
    'is never leased, and no longer ready',
    withStore(async (opened) => {
      await emitOn(opened, stream, other)
      sql(opened.path, `DELETE FROM events WHERE stream = '${stream}'`)
      expect((await lease(opened)).map((leased) => leased.stream)).toEqual([other])
      expect(sql(opened.path, 'SELECT stream FROM ready_streams')).toEqual([{ stream: other }])
      expect(sql(opened.path, `SELECT owner FROM stream_leases WHERE stream = '${stream}'`)).toEqual([{ owner: null }])
    }),
  )

  it(
    'is leased again once it has one',
    withStore(async (opened) => {
      await emitOn(opened, stream)
      sql(opened.path, `UPDATE ready_streams SET last_sequence = 2`)
      const fence = (await lease(opened))[0]?.fence ?? 0
      await opened.store.outbox.record([
        { stream, fence, kind: 'confirmed', through: 1 },
        { stream, fence, kind: 'released' },
      ])
      expect(await lease(opened)).toEqual([])
      expect(sql(opened.path, 'SELECT stream FROM ready_streams')).toEqual([])
      await emitOn(opened, stream)
      expect(await lease(opened)).toMatchObject([{ stream, events: [{ sequence: 2 }] }])
    }),
  )

  it(
    'stays in the backlog when only its next event is missing: later ones are not lost',
    withStore(async (opened) => {
      await emitOn(opened, stream, stream)
      sql(opened.path, `DELETE FROM events WHERE sequence = 1`)
      expect(await lease(opened, 1)).toEqual([])
      expect((await opened.store.outbox.backlog())._unsafeUnwrap()).toMatchObject({ events: 2 })
    }),
  )
})
