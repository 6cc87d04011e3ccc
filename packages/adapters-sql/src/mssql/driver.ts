import type { config as MssqlConfig } from 'mssql'
import type { Connection, ConnectionConfiguration } from 'tedious'
import type { Rows, SqlParameters, SqlRow, SqlValue } from '../sql/engine.ts'
import { isTransactionCount, unsafeNumberError } from './mssql-errors.ts'
import type { MssqlAddress } from './mssql-url.ts'
import { fromStored, toStored } from './stored-text.ts'

/** T-SQL with `@name` parameters: one request, so one round trip, whatever number of statements it holds. */
export type Batch = Readonly<{
  sql: string
  parameters: SqlParameters
  /** What it leaves of its session's transaction; as it was where that is left out. */
  transaction?: 'begins' | 'ends'
}>

/** The rows of each SELECT of a batch. */
export type ResultSets = readonly Rows[]

/** One connection, taken from the pool with the first request. */
export type Session = Readonly<{
  run(batch: Batch): Promise<ResultSets>
  /** Rolls back what is open and gives the connection back; closes it where its state is not known. */
  end(): Promise<void>
}>

export type PoolFigures = Readonly<{ size: number; available: number; borrowed: number; pending: number }>

export type Driver = Readonly<{
  /** One request on any connection. */
  run(batch: Batch): Promise<ResultSets>
  session(): Session
  figures(): PoolFigures
  /** Requests sent since the pool was opened. */
  roundTrips(): number
  close(): Promise<void>
}>

export type DriverOptions = Readonly<{ readOnlyIntent: boolean; acquireTimeoutMs: number }>

/** What is used of the pool of mssql: a connection held over several requests has no method of its own there. */
type Pool = Readonly<{
  size: number
  available: number
  borrowed: number
  pending: number
  connect(): Promise<unknown>
  close(): Promise<unknown>
  acquire(requester: object): Promise<Connection>
  release(connection: Connection): void
  on(event: 'error', listener: (error: unknown) => void): void
}>

type Tedious = typeof import('tedious')

/** Loads mssql and opens a pool; rejects with the error of the driver where no connection can be made. */
export async function openDriver(address: MssqlAddress, options: DriverOptions): Promise<Driver> {
  const [{ default: mssql }, { default: tedious }] = await Promise.all([import('mssql'), import('tedious')])
  const pool = new mssql.ConnectionPool(poolConfig(address, options)) as unknown as Pool
  // Each failure is answered to whoever waits for the connection; nobody listens for a second report of it.
  pool.on('error', () => undefined)
  await pool.connect()
  return driverOver(pool, tedious)
}

/** What mssql is told. */
export function poolConfig(address: MssqlAddress, { readOnlyIntent, acquireTimeoutMs }: DriverOptions): MssqlConfig {
  const options: ConnectionConfiguration['options'] = {
    encrypt: address.encrypt,
    trustServerCertificate: address.trustServerCertificate,
    multiSubnetFailover: address.multiSubnetFailover,
    readOnlyIntent,
    abortTransactionOnError: true,
    cancelTimeout: 5_000,
    appName: 'cbp-config-api',
  }
  return {
    server: address.server,
    port: address.port,
    database: address.database,
    user: address.user,
    password: address.password,
    connectionTimeout: address.connectTimeoutMs,
    requestTimeout: address.requestTimeoutMs,
    validateConnection: 'socket' as unknown as boolean,
    pool: { min: 0, max: address.poolSize, acquireTimeoutMillis: acquireTimeoutMs, idleTimeoutMillis: 60_000 },
    options: options as object,
  }
}

function driverOver(pool: Pool, tedious: Tedious): Driver {
  let roundTrips = 0

  async function send(connection: Connection, batch: Batch): Promise<ResultSets> {
    roundTrips += 1
    return await sendBatch(tedious, connection, batch)
  }

  function session(): Session {
    let connection: Connection | null = null
    let isBroken = false
    let hasEnded = false
    // Told by whoever wrote the text: not every server reports a transaction that a batch has begun.
    let isOpen = false

    /** A connection that comes after the end would be nobody's to give back. */
    async function take(): Promise<Connection> {
      if (hasEnded) throw endedError()
      const taken = await pool.acquire({})
      if (!hasEnded) return taken
      pool.release(taken)
      throw endedError()
    }

    return {
      async run(batch) {
        connection ??= await take()
        try {
          const results = await send(connection, batch)
          if (batch.transaction !== undefined) isOpen = batch.transaction === 'begins'
          return results
        } catch (error) {
          isOpen = true
          isBroken ||= !isAnswered(error)
          throw error
        }
      },
      async end() {
        hasEnded = true
        const held = connection
        if (held === null) return
        connection = null
        if (!isBroken && (isOpen || isInTransaction(held))) {
          try {
            await send(held, { sql: 'IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION', parameters: {} })
          } catch {
            isBroken = true
          }
        }
        if (isBroken || isInTransaction(held)) held.close()
        pool.release(held)
      },
    }
  }

  return {
    async run(batch) {
      const alone = session()
      try {
        return await alone.run(batch)
      } finally {
        await alone.end()
      }
    },
    session,
    figures: () => ({ size: pool.size, available: pool.available, borrowed: pool.borrowed, pending: pool.pending }),
    roundTrips: () => roundTrips,
    close: async () => void (await pool.close()),
  }
}

/** As the driver has it for a connection that was closed. */
function endedError(): Error {
  return Object.assign(new Error('the session has ended'), { code: 'ECONNCLOSED' })
}

/** Whether the server itself raised the error, so that the connection is in a known state. */
function isAnswered(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isAnswered)
  return error instanceof Error && typeof (error as { number?: unknown }).number === 'number'
}

function isInTransaction(connection: Connection): boolean {
  return (connection as unknown as { inTransaction: boolean }).inTransaction
}

function sendBatch({ Request, TYPES }: Tedious, connection: Connection, { sql, parameters }: Batch): Promise<ResultSets> {
  return new Promise((resolve, reject) => {
    const results: SqlRow[][] = []
    let rows: SqlRow[] = []
    let unreadable: unknown = null
    const request = new Request(sql, (error) => {
      // The one error that is no failure; see `isTransactionCount`.
      if (error && !isTransactionCount(error)) reject(error)
      else if (unreadable !== null) reject(unreadable)
      else resolve(results)
    })
    request.on('columnMetadata', () => {
      rows = []
      results.push(rows)
    })
    request.on('row', (columns: readonly Column[]) => {
      try {
        rows.push(Object.fromEntries(columns.map(({ value, metadata }) => [metadata.colName, sqlValueOf(value, metadata)])))
      } catch (error) {
        unreadable ??= error
      }
    })
    for (const [name, value] of Object.entries(parameters)) {
      if (typeof value === 'number') request.addParameter(name, TYPES.BigInt, value)
      else request.addParameter(name, TYPES.NVarChar, value === null ? null : toStored(value), { length: lengthFor(value) })
    }
    connection.execSql(request)
  })
}

/** Two lengths only, so that one text has few plans; the long one is nvarchar(max). */
function lengthFor(value: string | null): number {
  return value === null || value.length < 4000 ? 4000 : Number.POSITIVE_INFINITY
}

type Column = Readonly<{
  value: unknown
  metadata: Readonly<{ colName: string; dataLength?: number | undefined; type: Readonly<{ name: string }> }>
}>

/** The driver answers bigint as text, because not every one is a JavaScript number. */
function sqlValueOf(value: unknown, { type, dataLength }: Column['metadata']): SqlValue {
  if (value === null || typeof value === 'number') return value
  if (typeof value === 'string') {
    const isBigInt = type.name === 'BigInt' || (type.name === 'IntN' && dataLength === 8)
    return isBigInt ? safeNumber(value) : fromStored(value)
  }
  if (typeof value === 'bigint') return safeNumber(String(value))
  throw new TypeError(`a column of type ${type.name} is not expected`)
}

function safeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw unsafeNumberError()
  return number
}
