import { stat, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { fakeIds, fakeRandom } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import { startChild } from '../../tests/children.ts'
import { address, appendNext, clock } from '../../tests/plain-store.ts'
import { payment } from '../../tests/sample-records.ts'
import { withPath } from '../../tests/temporary-store.ts'
import type { Migration } from './migrations/index.ts'
import { migrations } from './migrations/index.ts'
import { plan, planMigrations } from './plan-migrations.ts'
import { open, type SqliteStoreOptions } from './sqlite-store.ts'

const next: Migration = { number: migrations.length + 1, name: 'notes', sql: 'CREATE TABLE notes (note TEXT NOT NULL) STRICT;' }

async function openWith(path: string, known: readonly Migration[], given: Partial<SqliteStoreOptions> = {}) {
  const opened = await open({ path, clock, random: fakeRandom(1), ...given }, known)
  if (opened.isOk()) await opened.value.close()
  return opened.map(() => 'opened')
}

function query(path: string, sql: string): readonly unknown[] {
  const database = new DatabaseSync(path)
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

const columnsOfEvents = 'position, stream, sequence, event_id, type, payload, occurred_at, traceparent'
/** Those first that nothing later changes. */
const readsOfVersion1 = [
  ...['* FROM entries', '* FROM streams', `${columnsOfEvents} FROM events`],
  ...['* FROM versions', '* FROM units', '* FROM component_totals', '* FROM ready_streams', '* FROM store_head'],
] as const

function fillVersion1(path: string): void {
  const database = new DatabaseSync(path)
  database.exec(`
    INSERT INTO units VALUES ('unit-1', 1, 5, 1);
    INSERT INTO entries VALUES (1, 'payments', 'limit', '/');
    INSERT INTO versions VALUES (1, 1, 1, 1, 'put', '"kept"', 'hash', 'actor', 'reason', 'request', NULL, 5);
    INSERT INTO component_totals VALUES ('payments', 1, 1);
    INSERT INTO streams VALUES ('config-payments', 1);
    INSERT INTO events VALUES (1, 'config-payments', 1, 'event-1', 'CONFIG_UPDATED', '{}', 5, NULL, NULL);
    INSERT INTO ready_streams VALUES ('config-payments', 1, 1, 5, 5);
    UPDATE store_head SET revision = 1, recorded_at = 5;
  `)
  database.close()
}

describe('migrations', () => {
  it(
    'are planned for a file that is not there, without making it',
    withPath(async (path) => {
      const planned = (await planMigrations(path))._unsafeUnwrap()
      expect(planned.map(({ number }) => number)).toEqual(migrations.map(({ number }) => number))
      await expect(stat(path)).rejects.toThrow('ENOENT')
    }),
  )

  it(
    'are not planned again once they have run',
    withPath(async (path) => {
      await openWith(path, migrations)
      expect((await planMigrations(path))._unsafeUnwrap()).toEqual([])
    }),
  )

  it(
    'run where they are pending, and keep what is there',
    withPath(async (path) => {
      await openWith(path, migrations)
      const [head] = query(path, 'SELECT epoch FROM store_head')
      expect((await plan(path, [...migrations, next]))._unsafeUnwrap()).toMatchObject([{ number: migrations.length + 1, name: 'notes' }])
      await openWith(path, [...migrations, next])
      expect(query(path, 'SELECT epoch FROM store_head')).toEqual([head])
      expect(query(path, 'SELECT * FROM notes')).toEqual([])
    }),
  )

  it(
    'bring a database of version 1 forward with everything in it',
    withPath(async (path) => {
      const first = migrations.slice(0, 1)
      await openWith(path, first)
      fillVersion1(path)
      const kept = (): readonly unknown[] => readsOfVersion1.map((read) => query(path, `SELECT ${read}`))
      const before = kept()
      expect(before.filter((rows) => (rows as unknown[]).length === 0)).toEqual([])
      const store = (await open({ path, clock, random: fakeRandom(1) }, migrations))._unsafeUnwrap()
      const later = await store.transactions.attempt(fakeIds().next(), (tx) => appendNext(tx).map(() => tx.payments.insert(payment())))
      expect(later._unsafeUnwrap().commit.revision).toBe(2)
      expect((await store.configStore.version(address, 1))._unsafeUnwrap()).toMatchObject({ value: 'kept' })
      expect((await store.paymentStore.payment(payment().id))._unsafeUnwrap()).toEqual(payment())
      await store.close()
      expect(query(path, 'SELECT number FROM schema_migrations').length).toBe(migrations.length)
      expect(kept().slice(0, 3)).toEqual(before.slice(0, 3))
    }),
  )

  it(
    'are refused when one has changed since it ran',
    withPath(async (path) => {
      await openWith(path, [...migrations, next])
      const changed = [...migrations, { ...next, sql: `${next.sql} ` }]
      const refused = (await openWith(path, changed))._unsafeUnwrapErr()
      expect(refused).toMatchObject({ kind: 'store-open-error', cause: 'changed-migration' })
      expect(refused.reason).toContain(`migration ${next.number} (notes)`)
    }),
  )

  it(
    'are refused by a program older than the database',
    withPath(async (path) => {
      await openWith(path, [...migrations, next])
      const refused = (await openWith(path, migrations))._unsafeUnwrapErr()
      expect(refused).toMatchObject({ cause: 'newer-database' })
      expect(refused.reason).toContain(`migration ${next.number} (notes)`)
    }),
  )

  it(
    'leave the database as it was when one of them fails',
    withPath(async (path) => {
      await openWith(path, migrations)
      const broken: Migration = { number: next.number + 1, name: 'broken', sql: 'CREATE TABLE notes (note TEXT);' }
      expect((await openWith(path, [...migrations, next, broken])).isErr()).toBe(true)
      expect(query(path, 'SELECT number FROM schema_migrations')).toHaveLength(migrations.length)
      expect(query(path, "SELECT name FROM sqlite_schema WHERE name = 'notes'")).toEqual([])
    }),
  )

  it(
    'run once when several processes start at the same time',
    withPath(async (path) => {
      const children = Array.from({ length: 4 }, () => startChild('open-and-close', path))
      const epochs = await Promise.all(children.map(async ({ lines }) => (await lines.next()).value as string))
      expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0, 0, 0])
      expect(new Set(epochs).size).toBe(1)
      expect(query(path, 'SELECT number FROM schema_migrations')).toHaveLength(migrations.length)
    }),
    30_000,
  )
})

describe('opening', () => {
  it(
    'leaves migrations to others where it may only check',
    withPath(async (path) => {
      const refused = await openWith(path, migrations, { migrations: 'check' })
      expect(refused._unsafeUnwrapErr()).toMatchObject({ cause: 'older-database', reason: expect.stringContaining('cbp migrate') })
      await openWith(path, migrations)
      expect((await openWith(path, migrations, { migrations: 'check' }))._unsafeUnwrap()).toBe('opened')
      const older = await openWith(path, [...migrations, next], { migrations: 'check' })
      expect(older._unsafeUnwrapErr()).toMatchObject({ cause: 'older-database', reason: expect.stringContaining('(notes)') })
    }),
  )

  it(
    'makes the directory and an epoch that stays',
    withPath(async (path) => {
      const nested = `${path}.d/data/store.db`
      await openWith(nested, migrations)
      const [head] = query(nested, 'SELECT epoch FROM store_head') as [{ epoch: string }]
      expect(head.epoch).toMatch(/^[a-z0-9]{8}$/)
      await openWith(nested, migrations)
      expect(query(nested, 'SELECT epoch FROM store_head')).toEqual([head])
    }),
  )

  it(
    'refuses a file that is not a database',
    withPath(async (path) => {
      await writeFile(path, 'this is not a database, though it is long enough to be taken for the header of one .........')
      expect((await openWith(path, migrations))._unsafeUnwrapErr()).toMatchObject({ cause: 'unusable-file' })
    }),
  )

  it(
    'refuses a database that another program made',
    withPath(async (path) => {
      query(path, 'SELECT 1')
      const foreign = new DatabaseSync(path)
      foreign.exec('CREATE TABLE customers (name TEXT)')
      foreign.close()
      expect((await openWith(path, migrations))._unsafeUnwrapErr()).toMatchObject({ cause: 'foreign-database' })
    }),
  )

  it(
    'refuses a directory that cannot be made',
    withPath(async (path) => {
      await writeFile(path, '')
      expect((await openWith(`${path}/store.db`, migrations))._unsafeUnwrapErr()).toMatchObject({ cause: 'unusable-file' })
    }),
  )
})
