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
import type { PlannedMigration } from '../sql/applied-migrations.ts'
import type { StoreOpenError } from '../sql/open-errors.ts'
import { sqlWebhookStore } from '../webhooks/sql-webhook-store.ts'
import { type Driver, openDriver } from './driver.ts'
import { type MssqlMigration, mssqlMigrations } from './migrations/index.ts'
import { mssqlEngine } from './mssql-engine.ts'
import { failureOf } from './mssql-errors.ts'
import { type MssqlHealth, mssqlHealth } from './mssql-health.ts'
import { plannedMigrations, runMigrations } from './mssql-migrate.ts'
import { mssqlTransactions } from './mssql-transactions.ts'
import { type MssqlAddress, parseMssqlUrl } from './mssql-url.ts'
import { readServerTraits } from './server-traits.ts'

export type MssqlStoreOptions = Readonly<{
  /** `mssql://user:password@host:1433/database?encrypt=true` */
  url: string
  /** The same for a readable secondary, which is asked with read-only intent. */
  replicaUrl?: string | null
  clock: Clock
  random: Random
  /** `run` (default): pending migrations are run. `check`: they keep the store from opening; for a login that may not run them. */
  migrations?: 'run' | 'check'
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
export function planMssqlMigrations(url: string): ResultAsync<readonly PlannedMigration[], StoreOpenError> {
  return new ResultAsync(plan(url, mssqlMigrations))
}

export async function open(options: MssqlStoreOptions, known: readonly MssqlMigration[]): Promise<Result<MssqlStore, StoreOpenError>> {
  const addresses = addressesOf(options)
  if (addresses.isErr()) return err(addresses.error)
  const { primary: address, replica: copy } = addresses.value
  const opened: Driver[] = []
  try {
    const primary = await openDriver(address, { readOnlyIntent: false, acquireTimeoutMs })
    opened.push(primary)
    const isReady = await prepare(primary, options, known)
    if (isReady.isErr()) {
      await primary.close()
      return err(isReady.error)
    }
    const replica = copy === null ? null : await openDriver(copy, { readOnlyIntent: true, acquireTimeoutMs })
    if (replica !== null) opened.push(replica)
    return ok(await storeOver({ primary, replica }, options))
  } catch (error) {
    await Promise.all(opened.map((driver) => driver.close()))
    return err(openError(error))
  }
}

export async function plan(url: string, known: readonly MssqlMigration[]): Promise<Result<readonly PlannedMigration[], StoreOpenError>> {
  const address = parseMssqlUrl(url)
  if (address.isErr()) return err(badUrl('the URL of SQL Server', address.error))
  try {
    const driver = await openDriver(address.value, { readOnlyIntent: false, acquireTimeoutMs })
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
  if (options.migrations !== 'check') return (await runMigrations(driver, known, options)).map(() => undefined)
  const names = pending.value.map(({ number, name }) => `${number} (${name})`).join(', ')
  const reason = `migrations are pending: ${names}; run them with a login that may, then start again`
  return err({ kind: 'store-open-error', cause: 'older-database', reason })
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
    replica:
      replica === null ? null : committedPorts(mssqlEngine({ driver: replica, traits: await readServerTraits(replica), clock, random })),
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

type Addresses = Readonly<{ primary: MssqlAddress; replica: MssqlAddress | null }>

function addressesOf({ url, replicaUrl = null }: MssqlStoreOptions): Result<Addresses, StoreOpenError> {
  const primary = parseMssqlUrl(url)
  if (primary.isErr()) return err(badUrl('the URL of SQL Server', primary.error))
  const replica = replicaUrl === null ? ok(null) : parseMssqlUrl(replicaUrl)
  if (replica.isErr()) return err(badUrl('the URL of the replica', replica.error))
  return ok({ primary: primary.value, replica: replica.value })
}

function badUrl(name: string, fault: string): StoreOpenError {
  return { kind: 'store-open-error', cause: 'unreachable', reason: `${name} ${fault}` }
}

function openError(error: unknown): StoreOpenError {
  const failure = failureOf(error)
  if (failure === null) throw error
  return { kind: 'store-open-error', cause: failure.kind === 'in-the-way' ? 'busy' : 'unreachable', reason: failure.reason }
}
