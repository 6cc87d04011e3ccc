import type { PlannedMigration } from '@cbp/http/assembly'
import { ok } from 'neverthrow'
import { planMigrations } from '../container.ts'
import { renderTable } from '../output/table.ts'
import type { Action, Answer } from '../session.ts'
import { usingCore } from '../settle.ts'

export type MigrateOptions = Readonly<{ plan?: boolean }>

export const migrateStore: Action<[], MigrateOptions> = async (session, { plan }) => {
  if (plan === true) return (await planMigrations(session)).map((pending) => migrationsAnswer({ pending }))
  const pending = await planMigrations(session)
  // Opening the store is what migrates it, here as in the service, which may have been told to leave it to this command.
  const { io } = session
  const migrated = await usingCore({ ...session, io: { ...io, env: { ...io.env, CBP_MIGRATIONS: 'run' } } }, async () => ok(null))
  return migrated.map(() => migrationsAnswer({ applied: pending.unwrapOr([]) }))
}

function migrationsAnswer(
  migrations: Readonly<{ pending: readonly PlannedMigration[] }> | Readonly<{ applied: readonly PlannedMigration[] }>,
): Answer {
  const [heading, list] = 'pending' in migrations ? ['Yet to be done:', migrations.pending] : ['Done:', migrations.applied]
  const rows = list.map(({ number, name }) => [String(number), name])
  return {
    json: migrations,
    text: (style) => {
      if (rows.length === 0) return 'The tables of the store are up to date.\n'
      return `${heading}\n${renderTable(style, [{ title: 'migration', align: 'right' }, { title: 'name' }], rows)}`
    },
  }
}
