import { stat } from 'node:fs/promises'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { openConnection } from './connection.ts'
import { checksumOf, pendingMigrations } from './migrate.ts'
import { type Migration, migrations } from './migrations/index.ts'
import type { StoreOpenError } from './open-errors.ts'
import { openError } from './sqlite-store.ts'

export type PlannedMigration = Readonly<{ number: number; name: string; checksum: string }>

/** What opening the store in this file would run; changes nothing, and makes no file. */
export function planMigrations(path: string): ResultAsync<readonly PlannedMigration[], StoreOpenError> {
  return new ResultAsync(plan(path, migrations))
}

export async function plan(path: string, known: readonly Migration[]): Promise<Result<readonly PlannedMigration[], StoreOpenError>> {
  if (!(await exists(path))) return ok(known.map(planned))
  try {
    const connection = openConnection(path, { readOnly: true, busyTimeoutMs: 20 })
    try {
      return pendingMigrations(connection, known).map((pending) => pending.map(planned))
    } finally {
      connection.close()
    }
  } catch (error) {
    return err(openError(error))
  }
}

function planned(migration: Migration): PlannedMigration {
  return { number: migration.number, name: migration.name, checksum: checksumOf(migration) }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}
