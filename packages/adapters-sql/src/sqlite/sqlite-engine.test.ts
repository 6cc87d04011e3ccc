import { fakeIds } from '@cbp/core/testing'
import { expect, it } from 'vitest'
import { address, appendNext } from '../../tests/plain-store.ts'
import { withParts } from '../../tests/store-parts.ts'
import type { Statement } from '../sql/engine.ts'

const addNote: Statement = { sql: 'INSERT INTO streams (stream, last_sequence) VALUES (@stream, 0)', parameters: { stream: 'note' } }
const countNotes: Statement = { sql: 'SELECT COUNT(*) AS notes FROM streams', parameters: {} }

it(
  'takes back the whole of a write that fails halfway, and nothing of its neighbours',
  withParts(async ({ engine, transactions }) => {
    const ids = fakeIds()
    const [before, failed, after] = await Promise.all([
      transactions.attempt(ids.next(), (tx) => appendNext(tx)),
      engine.write('full', async (session) => session.run([addNote, addNote])),
      transactions.attempt(ids.next(), (tx) => appendNext(tx)),
    ])
    expect(failed._unsafeUnwrapErr()).toMatchObject({ kind: 'store-unavailable' })
    expect([before, after].map((outcome) => outcome._unsafeUnwrap().commit.revision)).toEqual([1, 2])
    expect((await engine.read([countNotes], ([rows]) => rows))._unsafeUnwrap()).toEqual([{ notes: 0 }])
  }),
)

it(
  'tells a full disk, writes nothing of the batch, and goes on where it stood once there is room',
  withParts(async ({ writer, transactions }) => {
    const ids = fakeIds()
    await transactions.attempt(ids.next(), (tx) => appendNext(tx))
    const [{ page_count: pages } = { page_count: 0 }] = writer.all({ sql: 'PRAGMA page_count', parameters: {} })
    writer.exec(`PRAGMA max_page_count = ${pages}`)
    const large = 'x'.repeat(60_000)
    const full = await Promise.all([
      transactions.attempt(ids.next(), (tx) => appendNext(tx)),
      transactions.attempt(ids.next(), (tx) =>
        tx.config.newest(address).map((newest) => {
          const version = (newest?.version ?? 0) + 1
          const facts = { hash: '', actor: '', reason: '', requestId: '', restoredFrom: null }
          tx.config.append({ ...address, ...facts, version, op: 'put', value: large })
          return version
        }),
      ),
    ])
    for (const refused of full) {
      expect(refused._unsafeUnwrapErr()).toMatchObject({ kind: 'store-unavailable', reason: expect.stringContaining('disk is full') })
    }
    writer.exec('PRAGMA max_page_count = 100000')
    const again = await transactions.attempt(ids.next(), (tx) => appendNext(tx))
    expect(again._unsafeUnwrap()).toMatchObject({ value: 2, commit: { revision: 2 } })
  }),
)

it(
  'never puts a value into the text of an error',
  withParts(async ({ engine }) => {
    const failed = await engine.write('full', async (session) => session.run([addNote, addNote]))
    expect(JSON.stringify(failed._unsafeUnwrapErr())).not.toContain('note')
  }),
)
