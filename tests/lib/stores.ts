import { createEmptyDatabase, serverUrl } from '../../packages/adapters-sql/tests/mssql/test-database.ts'

/** A store that several instances can share; `env` makes them use it. */
export type SharedStore = Readonly<{ env: Readonly<Record<string, string>>; drop: () => Promise<void> }>

type Opener = Readonly<{
  name: string
  here: boolean
  /** How many clients pay at a time. */
  clients: number
  /**
   * The share of answers that may be refusals (503 `store-unavailable`) because units were in each other's way again and
   * again. They wrote nothing and are sent again.
   */
  refusals: number
  open: () => Promise<SharedStore>
}>

export const openStores: readonly Opener[] = [
  { name: 'SQLite', here: true, clients: 12, refusals: 0, open: async () => ({ env: {}, drop: async () => {} }) },
  {
    name: serverUrl === undefined ? 'SQL Server (skipped: CBP_TEST_MSSQL_URL is not set)' : 'SQL Server',
    here: serverUrl !== undefined,
    // Whatever server is given, and however small its machine: what is tested is that nothing is lost.
    clients: 4,
    refusals: 0.1,
    open: async () => {
      const { url, drop } = await createEmptyDatabase()
      return { env: { CBP_SQL_URL: `${url}&poolSize=5` }, drop }
    },
  },
]
