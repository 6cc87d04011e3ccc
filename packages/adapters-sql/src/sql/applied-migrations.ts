import { err, ok, type Result } from 'neverthrow'
import type { StoreOpenError } from './open-errors.ts'

/** A step forward as it was planned, or as it was found to have run. */
export type PlannedMigration = Readonly<{ number: number; name: string; checksum: string }>

/** `run` (default): pending migrations are run. `check`: they keep the store from opening; for whoever may not run them. */
export type RunMigrations = 'run' | 'check'

export function migrationsPending(pending: readonly PlannedMigration[]): StoreOpenError {
  const names = pending.map(({ number, name }) => `${number} (${name})`).join(', ')
  const reason = `migrations are pending: ${names}; run cbp migrate with a login that may, then start again`
  return { kind: 'store-open-error', cause: 'older-database', reason }
}

/** Holds what has run against what is known: nothing newer may have run, and nothing that has run may have changed. */
export function checkApplied(applied: readonly PlannedMigration[], known: readonly PlannedMigration[]): Result<void, StoreOpenError> {
  const byNumber = new Map(known.map((migration) => [migration.number, migration]))
  for (const { number, name, checksum } of applied) {
    const migration = byNumber.get(number)
    if (migration === undefined) {
      const reason = `the database is newer than this program: migration ${number} (${name}) is not known here; install the newer release`
      return err({ kind: 'store-open-error', cause: 'newer-database', reason })
    }
    if (migration.checksum !== checksum) {
      const reason = `migration ${number} (${name}) has changed since it ran; restore its text and put the change into a new migration`
      return err({ kind: 'store-open-error', cause: 'changed-migration', reason })
    }
  }
  return ok()
}
