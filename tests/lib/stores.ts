import { createEmptyDatabase, serverUrl } from '../../packages/adapters-sql/tests/mssql/test-database.ts'

/** A store that several instances can share; `env` makes them use it. */
export type SharedStore = Readonly<{ env: Readonly<Record<string, string>>; drop: () => Promise<void> }>

export const openStores: readonly Readonly<{ name: string; here: boolean; open: () => Promise<SharedStore> }>[] = [
  { name: 'SQLite', here: true, open: async () => ({ env: {}, drop: async () => {} }) },
  {
    name: serverUrl === undefined ? 'SQL Server (skipped: CBP_TEST_MSSQL_URL is not set)' : 'SQL Server',
    here: serverUrl !== undefined,
    open: async () => {
      const { url, drop } = await createEmptyDatabase()
      return { env: { CBP_SQL_URL: url }, drop }
    },
  },
]
