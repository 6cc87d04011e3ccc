import type { PlannedMigration } from '@cbp/adapters-sql'
import type { Result } from 'neverthrow'
import type { ResourceUnavailable } from './resources.ts'
import type { Settings } from './settings.ts'

/** What opening the store that the settings name would do to its tables; does nothing. */
export async function planMigrations({ sql }: Settings): Promise<Result<readonly PlannedMigration[], ResourceUnavailable>> {
  const adapter = await import('@cbp/adapters-sql')
  if (sql.kind === 'mssql') return adapter.planMssqlMigrations(sql.primary).mapErr(({ reason }) => unavailable(reason))
  const planned = await adapter.planMigrations(sql.path)
  return planned.mapErr(({ reason }) => unavailable(`${sql.path}: ${reason}`))
}

function unavailable(reason: string): ResourceUnavailable {
  return { kind: 'resource-unavailable', resource: 'store', reason }
}
