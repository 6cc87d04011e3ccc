import { mkdir, open as openFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type {
  ApiKeyStore,
  AuditStore,
  Clock,
  ConfigStore,
  DataKeyStore,
  DeadLetterStore,
  Outbox,
  PaymentStore,
  Random,
  Transaction,
  Transactions,
  WebhookStore,
} from '@cbp/core'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { sqlApiKeyStore } from '../access/sql-api-key-store.ts'
import { sqlAuditStore } from '../audit/sql-audit-store.ts'
import { sqlConfigStore } from '../config/sql-config-store.ts'
import { sqlDeadLetterStore } from '../events/sql-dead-letter-store.ts'
import { sqlOutbox } from '../events/sql-outbox.ts'
import { sqlPaymentStore } from '../payments/sql-payment-store.ts'
import { sqlDataKeyStore } from '../sealing/sql-data-key-store.ts'
import { migrationsPending, type RunMigrations } from '../sql/applied-migrations.ts'
import type { StoreOpenError } from '../sql/open-errors.ts'
import { sqlWebhookStore } from '../webhooks/sql-webhook-store.ts'
import { type Connection, openConnection } from './connection.ts'
import { type Defer, defaultLimits, type GroupCommit, type GroupCommitLimits, groupCommit } from './group-commit.ts'
import { ledger } from './ledger.ts'
import { migrate } from './migrate.ts'
import { type Migration, migrations } from './migrations/index.ts'
import { plan } from './plan-migrations.ts'
import { sharedTransaction, sqliteEngine } from './sqlite-engine.ts'
import { isBusy, openError } from './sqlite-errors.ts'
import { type SqliteHealth, sqliteHealth } from './sqlite-health.ts'
import { sqliteTransactions } from './sqlite-transactions.ts'

export type SqliteStoreOptions = Readonly<{
  /** The database file; its directory is made where it is missing. */
  path: string
  clock: Clock
  random: Random
  /** `full` (default): an answered commit outlives a power loss. `normal`: it outlives the process; a power loss may take the last ones. */
  synchronous?: 'full' | 'normal'
  migrations?: RunMigrations
  /** How a batch is put off until the callers of this turn have all come; `setImmediate` by default. */
  defer?: Defer
  limits?: Partial<GroupCommitLimits>
}>

export type SqliteStore = Readonly<{
  transactions: Transactions<Transaction>
  configStore: ConfigStore
  outbox: Outbox
  paymentStore: PaymentStore
  webhookStore: WebhookStore
  deadLetterStore: DeadLetterStore
  apiKeyStore: ApiKeyStore
  auditStore: AuditStore
  dataKeyStore: DataKeyStore
  /** Answers quickly and writes nothing. */
  health(): Promise<SqliteHealth>
  /** Answers who waits, refuses newcomers, then closes the file. */
  close(): Promise<void>
  /** Lets go of the file as the death of the process would: nothing more is committed, nobody is answered. For tests of just that. */
  abandon(): void
}>

/** The longest that a lock of another process may hold up the event loop at a time; beyond it, waiting is asynchronous. */
const writerBusyTimeoutMs = 5
const readerBusyTimeoutMs = 20

/** Opens the store in a file, brings its tables up to date and stands it behind core's ports. */
export function openSqliteStore(options: SqliteStoreOptions): ResultAsync<SqliteStore, StoreOpenError> {
  return new ResultAsync(open(options, migrations))
}

export async function open(options: SqliteStoreOptions, known: readonly Migration[]): Promise<Result<SqliteStore, StoreOpenError>> {
  const opened: Connection[] = []
  if (options.migrations === 'check') {
    const pending = await plan(options.path, known)
    if (pending.isErr()) return err(pending.error)
    if (pending.value.length > 0) return err(migrationsPending(pending.value))
  }
  try {
    await mkdir(dirname(options.path), { recursive: true, mode: 0o700 })
    await makePrivate(options.path)
    const writer = openConnection(options.path, { readOnly: false, busyTimeoutMs: writerBusyTimeoutMs })
    opened.push(writer)
    const migrated = await whenFree(options, () => {
      writer.exec(writerPragmas)
      return migrate(writer, known, options)
    })
    if (migrated.isErr()) {
      writer.close()
      return err(migrated.error)
    }
    const reader = openConnection(options.path, { readOnly: true, busyTimeoutMs: readerBusyTimeoutMs })
    opened.push(reader)
    reader.exec(readerPragmas)
    return ok(assemble(options, writer, reader))
  } catch (error) {
    for (const connection of opened) connection.close()
    return err(openError(error))
  }
}

/** SQLite would make it for everyone to read; what it makes beside it later takes the mode of the database itself. */
async function makePrivate(path: string): Promise<void> {
  try {
    const file = await openFile(path, 'wx', 0o600)
    await file.close()
  } catch {
    // It is there, or SQLite says in a moment what is wrong with it.
  }
}

const writerPragmas = `
  PRAGMA journal_mode = WAL;
  PRAGMA wal_autocheckpoint = 3000;
  PRAGMA foreign_keys = ON;
  PRAGMA cache_size = -16384;
  PRAGMA temp_store = MEMORY;
  PRAGMA journal_size_limit = 67108864;
`

const readerPragmas = `
  PRAGMA query_only = ON;
  PRAGMA cache_size = -16384;
  PRAGMA mmap_size = 1073741824;
`

/** After everything that is ready in this turn of the event loop. */
function soon(run: () => void): void {
  setImmediate(run)
}

/** Runs what another process may hold up, until it is through. */
async function whenFree<T>({ clock, random, limits }: SqliteStoreOptions, run: () => T): Promise<T> {
  const givesUpAt = clock.now() + (limits?.busyMs ?? defaultLimits.busyMs)
  for (;;) {
    try {
      return run()
    } catch (error) {
      if (!isBusy(error) || clock.now() >= givesUpAt) throw error
    }
    await clock.sleep(Math.ceil(10 * random.fraction()) + 1)
  }
}

function assemble(options: SqliteStoreOptions, writer: Connection, reader: Connection): SqliteStore {
  const { clock, random, defer = soon } = options
  const counters = ledger(writer)
  const group = groupCommit({
    transaction: sharedTransaction(writer, counters, () => clock.now(), options.synchronous === 'normal'),
    clock,
    random,
    defer,
    limits: { ...defaultLimits, ...options.limits },
  })
  const engine = sqliteEngine(writer, reader, group)
  return {
    transactions: sqliteTransactions(writer, counters, group, clock),
    configStore: sqlConfigStore(engine),
    outbox: sqlOutbox(engine, clock),
    paymentStore: sqlPaymentStore(engine),
    webhookStore: sqlWebhookStore(engine),
    deadLetterStore: sqlDeadLetterStore(engine),
    apiKeyStore: sqlApiKeyStore(engine),
    auditStore: sqlAuditStore(engine),
    dataKeyStore: sqlDataKeyStore(engine),
    health: sqliteHealth(options.path, reader, group),
    close: closeOnce(writer, reader, group),
    abandon() {
      group.abandon()
      reader.close()
      writer.close()
    },
  }
}

function closeOnce(writer: Connection, reader: Connection, group: GroupCommit): () => Promise<void> {
  let closing: Promise<void> | null = null
  async function close(): Promise<void> {
    await group.drain()
    reader.close()
    writer.exec('PRAGMA wal_checkpoint(PASSIVE)')
    writer.close()
  }
  return () => {
    closing ??= close()
    return closing
  }
}
