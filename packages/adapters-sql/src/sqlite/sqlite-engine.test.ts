import { StatementSync } from 'node:sqlite'
import type { StoreUnavailable, Stream } from '@cbp/core'
import { fakeIds } from '@cbp/core/testing'
import { expect, it, vi } from 'vitest'
import { address, appendNext } from '../../tests/plain-store.ts'
import { type Parts, withParts } from '../../tests/store-parts.ts'
import { sqlConfigStore } from '../config/sql-config-store.ts'
import { sqlOutbox } from '../events/sql-outbox.ts'
import type { Statement } from '../sql/engine.ts'
import { type Connection, openConnection } from './connection.ts'
import { sqliteEngine } from './sqlite-engine.ts'

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

it(
  'leaves no transaction open when a batch cannot begin',
  withParts(async ({ writer, transaction, transactions }) => {
    await transactions.attempt(fakeIds().next(), (tx) => appendNext(tx))
    const begin = (): void => transaction.begin('full')
    const failing = vi.spyOn(StatementSync.prototype, 'get').mockImplementation(() => {
      throw Object.assign(new Error('made up'), { code: 'ERR_SQLITE_ERROR', errcode: 10 })
    })
    expect(begin).toThrow('made up')
    failing.mockRestore()
    expect(writer.isTransaction).toBe(false)
    expect(begin).not.toThrow()
    transaction.rollback()
  }),
)

it.each([
  ['full', false, 2],
  ['relaxed', false, 1],
  ['full', true, 1],
] as const)('commits a %s batch (relax: %s) with PRAGMA synchronous = %i', (durability, relax, expected) =>
  withParts(async ({ writer, engine }) => {
    await engine.write('relaxed', (session) => session.run([countNotes]))
    await engine.write(durability, (session) => session.run([countNotes]))
    expect(writer.all({ sql: 'PRAGMA synchronous', parameters: {} })).toEqual([{ synchronous: expected }])
  }, relax)(),
)

it(
  'L1: reads one revision although another process commits between the statements',
  withParts(async ({ path, writer, reader, group }) => {
    const other = openConnection(path, { readOnly: false, busyTimeoutMs: 5 })
    const commitAfterEach: Connection = {
      ...reader,
      get isOpen() {
        return reader.isOpen
      },
      get isTransaction() {
        return reader.isTransaction
      },
      all(statement) {
        const rows = reader.all(statement)
        other.exec('UPDATE store_head SET revision = revision + 1')
        return rows
      },
    }
    const head: Statement = { sql: 'SELECT revision FROM store_head', parameters: {} }
    const seen = await sqliteEngine(writer, commitAfterEach, group).read([head, head, head], (results) => results.flat())
    other.close()
    expect(seen._unsafeUnwrap()).toEqual([{ revision: 0 }, { revision: 0 }, { revision: 0 }])
    expect(reader.isTransaction).toBe(false)
  }),
)

it(
  'rejects a read whose answer cannot be shaped, and throws nothing at its caller',
  withParts(async ({ engine }) => {
    const read = engine.read([countNotes], () => {
      throw new TypeError('a defect')
    })
    await expect(read).rejects.toThrow('a defect')
  }),
)

it.each([
  ['newest', async ({ engine }: Parts) => sqlConfigStore(engine).chain(address.component, address.key, [address.scope], null)],
  ['numbered', async ({ engine }: Parts) => sqlConfigStore(engine).version(address, 1)],
  ['in a unit', async ({ transactions }: Parts) => transactions.attempt(fakeIds().next(), (tx) => tx.config.newest(address))],
])('names the address of a damaged row, and not its text: %s', (_, read) =>
  withParts(async (parts) => {
    await parts.transactions.attempt(fakeIds().next(), (tx) => appendNext(tx))
    parts.writer.exec(`UPDATE versions SET value = '{"secret'`)
    const failure = (await read(parts))._unsafeUnwrapErr() as StoreUnavailable
    expect(failure).toMatchObject({ kind: 'store-unavailable', reason: expect.stringContaining('version 1 of payments limit /') })
    expect(failure.reason).not.toContain('secret')
  })(),
)

it(
  'names the event of a damaged row',
  withParts(async ({ engine, writer }) => {
    writer.exec(
      `INSERT INTO events (stream, sequence, event_id, type, payload, occurred_at) VALUES ('s', 1, 'e', 'CONFIG_UPDATED', '{', 0)`,
    )
    const pending = await sqlOutbox(engine, { now: () => 0 }).pending([{ stream: 's' as Stream, after: 0 }], 1)
    expect(pending._unsafeUnwrapErr()).toMatchObject({ kind: 'store-unavailable', reason: expect.stringContaining('event 1 of s') })
  }),
)
