import { fakeClock, fakeRandom } from '@cbp/core/testing'
import type { SqlEngine } from '../src/sql/engine.ts'
import { type Connection, openConnection } from '../src/sqlite/connection.ts'
import { defaultLimits, type GroupCommit, groupCommit, type SharedTransaction } from '../src/sqlite/group-commit.ts'
import { ledger } from '../src/sqlite/ledger.ts'
import { migrate } from '../src/sqlite/migrate.ts'
import { migrations } from '../src/sqlite/migrations/index.ts'
import { sharedTransaction, sqliteEngine } from '../src/sqlite/sqlite-engine.ts'
import { sqliteTransactions } from '../src/sqlite/sqlite-transactions.ts'
import { withPath } from './temporary-store.ts'

export type Parts = Readonly<{
  path: string
  writer: Connection
  reader: Connection
  transaction: SharedTransaction
  group: GroupCommit
  engine: SqlEngine
  transactions: ReturnType<typeof sqliteTransactions>
}>

/** The parts of a store, for what its door does not show. `relax`: commits need not outlive a power loss. */
export function withParts(test: (parts: Parts) => Promise<void>, relax = false): () => Promise<void> {
  return withPath(async (path) => {
    const clock = fakeClock()
    const random = fakeRandom(1)
    const writer = openConnection(path, { readOnly: false, busyTimeoutMs: 5 })
    writer.exec('PRAGMA journal_mode = WAL')
    migrate(writer, migrations, { clock, random })._unsafeUnwrap()
    const reader = openConnection(path, { readOnly: true, busyTimeoutMs: 5 })
    const counters = ledger(writer)
    const transaction = sharedTransaction(writer, counters, clock.now, relax)
    const group = groupCommit({ transaction, clock, random, defer: (run) => void setImmediate(run), limits: defaultLimits })
    const engine = sqliteEngine(writer, reader, group)
    await test({ path, writer, reader, transaction, group, engine, transactions: sqliteTransactions(writer, counters, group, clock) })
    reader.close()
    writer.close()
  })
}
