import { firstTables } from './0001-first-tables.ts'

/** One step forward, as batches. Its text never changes once it has shipped; a mistake is mended by another step. */
export type MssqlMigration = Readonly<{ number: number; name: string; batches: readonly string[] }>

export const mssqlMigrations: readonly MssqlMigration[] = [{ number: 1, name: 'first-tables', batches: firstTables }]
