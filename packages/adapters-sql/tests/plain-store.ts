import type { Address, Clock, Random, Transaction, VersionDraft } from '@cbp/core'
import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from '../src/index.ts'

export const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, cancel) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, cancel?.aborted ? 0 : ms)
      const wake = (): void => {
        clearTimeout(timer)
        resolve()
      }
      cancel?.addEventListener('abort', wake, { once: true })
    }),
}

const random: Random = { fraction: () => Math.random() }

export async function open(options: Pick<SqliteStoreOptions, 'path'> & Partial<SqliteStoreOptions>): Promise<SqliteStore> {
  return (await openSqliteStore({ clock, random, ...options }))._unsafeUnwrap()
}

export const address = { component: 'payments', key: 'limit', scope: '/' } as Address

export function draft(version: number, at: Address = address): VersionDraft {
  return {
    ...at,
    version,
    hash: '0123456789abcdef0123456789abcdef',
    actor: 'cli:operator',
    reason: 'test',
    requestId: 'request-1',
    restoredFrom: null,
    op: 'put',
    value: version,
  }
}

/** Appends the version after the newest one. */
export function appendNext(tx: Transaction, at: Address = address): ResultAsync<number, unknown> {
  return tx.config.newest(at).map((newest) => {
    const version = (newest?.version ?? 0) + 1
    tx.config.append(draft(version, at))
    return version
  })
}

export function appendThenRefuse(tx: Transaction, at: Address = address): ResultAsync<never, unknown> {
  return appendNext(tx, at).andThen(() => errAsync('refused'))
}

export function recordNothing(): ResultAsync<null, never> {
  return okAsync(null)
}
