import { stat } from 'node:fs/promises'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { PlannedMigration } from '../sql/applied-migrations.ts'
import type { StoreOpenError } from '../sql/open-errors.ts'
import { openConnection } from './connection.ts'
import { pendingMigrations, planned } from './migrate.ts'
import { type Migration, migrations } from './migrations/index.ts'
import { openError } from './sqlite-errors.ts'

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

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}
