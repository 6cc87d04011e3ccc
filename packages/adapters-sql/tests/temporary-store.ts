import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FakeClock, fakeClock } from '@cbp/core/testing'
import type { SqliteStore, SqliteStoreOptions } from '../src/index.ts'
import { open } from './plain-store.ts'

/** Runs a test with a path for a database in a directory of its own. */
export function withPath(test: (path: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cbp-sqlite-'))
    try {
      await test(join(directory, 'store.db'))
    } finally {
      await rm(directory, { recursive: true })
    }
  }
}

export type Opened = Readonly<{ store: SqliteStore; clock: FakeClock; path: string }>

/** Runs a test over a fresh store on a clock that the test moves. */
export function withStore(test: (opened: Opened) => Promise<void>, options: Partial<SqliteStoreOptions> = {}): () => Promise<void> {
  return withPath(async (path) => {
    const time = fakeClock()
    const store = await open({ path, clock: time, ...options })
    try {
      await test({ store, clock: time, path })
    } finally {
      await store.close()
    }
  })
}
