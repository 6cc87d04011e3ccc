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
import { migrationsPending, type PlannedMigration, type RunMigrations } from '../sql/applied-migrations.ts'
import type { StoreOpenError } from '../sql/open-errors.ts'
import { sqlWebhookStore } from '../webhooks/sql-webhook-store.ts'
import { type Driver, openDriver } from './driver.ts'
import { lazyDriver } from './lazy-driver.ts'
import { type MssqlMigration, mssqlMigrations } from './migrations/index.ts'
import { mssqlEngine } from './mssql-engine.ts'
import { failureOf } from './mssql-errors.ts'
import { type MssqlHealth, mssqlHealth } from './mssql-health.ts'
import { migrationTimeoutMs, plannedMigrations, runMigrations } from './mssql-migrate.ts'
import { mssqlTransactions } from './mssql-transactions.ts'
import type { MssqlAddress } from './mssql-url.ts'
import { readServerTraits } from './server-traits.ts'

export type MssqlStoreOptions = Readonly<{
  address: MssqlAddress
  /** A readable secondary, which is asked with read-only intent. */
  replica?: MssqlAddress | null
  clock: Clock
  random: Random
  migrations?: RunMigrations
}>

type CommittedPorts = Readonly<{
  configStore: ConfigStore
  paymentStore: PaymentStore
  webhookStore: WebhookStore
  deadLetterStore: DeadLetterStore
  apiKeyStore: ApiKeyStore
  auditStore: AuditStore
  dataKeyStore: DataKeyStore
}>

export type MssqlStore = CommittedPorts &
  Readonly<{
    transactions: Transactions<Transaction>
    outbox: Outbox
    /** What is committed as the replica has it: behind the primary, so for reads while that is away, and for nothing else. */
    replica: CommittedPorts | null
    /** Answers quickly and writes nothing. */
    health(): Promise<MssqlHealth>
    /** Requests sent so far. */
    roundTrips(): number
    close(): Promise<void>
  }>

const acquireTimeoutMs = 10_000

/** Opens a pool, loading the driver with it, brings the tables up to date and stands the database behind core's ports. */
export function openMssqlStore(options: MssqlStoreOptions): ResultAsync<MssqlStore, StoreOpenError> {
  return new ResultAsync(open(options, mssqlMigrations))
}

/** What opening the store would run; changes nothing. */
export function planMssqlMigrations(address: MssqlAddress): ResultAsync<readonly PlannedMigration[], StoreOpenError> {
  return new ResultAsync(plan(address, mssqlMigrations))
}

export async function open(options: MssqlStoreOptions, known: readonly MssqlMigration[]): Promise<Result<MssqlStore, StoreOpenError>> {
  const { address, replica: copy = null } = options
  const opened: Driver[] = []
  try {
    const primary = await openDriver(address, { readOnlyIntent: false, acquireTimeoutMs })
    opened.push(primary)
    const isReady = await prepare(primary, options, known)
    if (isReady.isErr()) {
      await primary.close()
      return err(isReady.error)
    }
    // A replica that is away keeps nobody from starting.
    const replica = copy === null ? null : lazyDriver(() => openDriver(copy, { readOnlyIntent: true, acquireTimeoutMs }))
    return ok(await storeOver({ primary, replica }, options))
  } catch (error) {
    await Promise.all(opened.map((driver) => driver.close()))
    return err(openError(error))
  }
}

export async function plan(
  address: MssqlAddress,
  known: readonly MssqlMigration[],
): Promise<Result<readonly PlannedMigration[], StoreOpenError>> {
  try {
    const driver = await openDriver(address, { readOnlyIntent: false, acquireTimeoutMs })
    try {
      return await plannedMigrations(driver, known)
    } finally {
      await driver.close()
    }
  } catch (error) {
    return err(openError(error))
  }
}

async function prepare(
  driver: Driver,
  options: MssqlStoreOptions,
  known: readonly MssqlMigration[],
): Promise<Result<void, StoreOpenError>> {
  const pending = await plannedMigrations(driver, known)
  if (pending.isErr()) return err(pending.error)
  // The usual start writes nothing.
  if (pending.value.length === 0) return ok()
  if (options.migrations === 'check') return err(migrationsPending(pending.value))
  const slow = { ...options.address, poolSize: 1, requestTimeoutMs: migrationTimeoutMs }
  const migrating = await openDriver(slow, { readOnlyIntent: false, acquireTimeoutMs })
  try {
    return (await runMigrations(migrating, known, options)).map(() => undefined)
  } finally {
    await migrating.close()
  }
}

export type Drivers = Readonly<{ primary: Driver; replica: Driver | null }>

export async function storeOver(
  { primary, replica }: Drivers,
  { clock, random }: Pick<MssqlStoreOptions, 'clock' | 'random'>,
): Promise<MssqlStore> {
  const traits = await readServerTraits(primary)
  const engine = mssqlEngine({ driver: primary, traits, clock, random })
  return {
    ...committedPorts(engine),
    transactions: mssqlTransactions({ driver: primary, traits, clock }),
    outbox: sqlOutbox(engine, clock),
    // The same database, so the same traits.
    replica: replica === null ? null : committedPorts(mssqlEngine({ driver: replica, traits, clock, random })),
    health: mssqlHealth(primary, replica, traits, clock),
    roundTrips: () => primary.roundTrips() + (replica?.roundTrips() ?? 0),
    close: closeOnce([primary, ...(replica === null ? [] : [replica])]),
  }
}

function committedPorts(engine: ReturnType<typeof mssqlEngine>): CommittedPorts {
  return {
    configStore: sqlConfigStore(engine),
    paymentStore: sqlPaymentStore(engine),
    webhookStore: sqlWebhookStore(engine),
    deadLetterStore: sqlDeadLetterStore(engine),
    apiKeyStore: sqlApiKeyStore(engine),
    auditStore: sqlAuditStore(engine),
    dataKeyStore: sqlDataKeyStore(engine),
  }
}

function closeOnce(drivers: readonly Driver[]): () => Promise<void> {
  let closing: Promise<unknown> | null = null
  return async () => {
    closing ??= Promise.all(drivers.map((driver) => driver.close()))
    await closing
  }
}

function openError(error: unknown): StoreOpenError {
  const failure = failureOf(error)
  if (failure === null) throw error
  return { kind: 'store-open-error', cause: failure.kind === 'in-the-way' ? 'busy' : 'unreachable', reason: failure.reason }
}
