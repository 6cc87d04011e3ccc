import { firstTables } from './0001-first-tables.ts'
import { confirmedByStream } from './0002-confirmed-by-stream.ts'
import { accessAndAudit } from './0003-access-and-audit.ts'

/** One step forward, as batches. Its text never changes once it has shipped; a mistake is mended by another step. */
export type MssqlMigration = Readonly<{ number: number; name: string; batches: readonly string[] }>

export const mssqlMigrations: readonly MssqlMigration[] = [
  { number: 1, name: 'first-tables', batches: firstTables },
  { number: 2, name: 'confirmed-by-stream', batches: confirmedByStream },
  { number: 3, name: 'access-and-audit', batches: accessAndAudit },
]
