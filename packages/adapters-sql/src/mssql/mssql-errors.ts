import { type AttemptFailure, type StoreUnavailable, storeUnavailable } from '@cbp/core'
import { isDamagedRow } from '../sql/stored-json.ts'

/** What a batch itself raises, by THROW. */
export const thrown = { versionGap: 50_001, noLongerAbsent: 50_002, migrationLock: 50_003 } as const

/** A unique index, or a unique constraint, holds the key already. */
const duplicateKey: ReadonlySet<number> = new Set([2601, 2627])

/**
 * Another transaction was in the way and this one has ended without effect: deadlock victim, lock timeout, snapshot conflict,
 * a table that a migration changed under a snapshot, a row read as absent that is there now.
 */
const inTheWay: ReadonlySet<number> = new Set([1205, 1222, 3960, 3961, thrown.noLongerAbsent, thrown.migrationLock])

/** The same from an engine that speaks T-SQL and has no numbers for it (SQLSTATE 40001, 55P03). */
const unnumbered = /^(could not serialize access|canceling statement due to lock timeout)/

/** The server asks for another try: failover, shutdown, upgrade, throttling, no memory or no locks in time, a database on the move. */
const transient: ReadonlySet<number> = new Set([
  20, 64, 121, 233, 617, 669, 701, 802, 921, 976, 983, 997, 1203, 1204, 1221, 3966, 4060, 4221, 6005, 8628, 8645, 8651, 10_053, 10_054,
  10_060, 10_922, 10_928, 10_929, 10_936, 18_401, 40_143, 40_197, 40_501, 40_540, 40_613, 41_839, 42_108, 42_109, 49_918, 49_919, 49_920,
])

/** The text of the server is left out on purpose: it may name what a caller sent. */
const remedies: ReadonlyMap<number, string> = new Map([
  [229, 'the login may not do this; run the grants of docs/sql-server.md'],
  [262, 'the login may not do this; run the grants of docs/sql-server.md'],
  [208, 'a table is missing; run the migrations'],
  [207, 'a column is missing; run the migrations'],
  [823, 'the disk failed to read or write; ask the DBA to run DBCC CHECKDB'],
  [824, 'a page of the database is damaged; ask the DBA to run DBCC CHECKDB'],
  [1105, 'a filegroup is full; ask the DBA for space'],
  [9002, 'the transaction log is full; ask the DBA to back it up or to give it space'],
  [3906, 'the database is read-only; point the setting at the primary replica'],
  [18_456, 'the login failed; check user and password'],
  [thrown.migrationLock, 'another instance has been running migrations for a minute; start again when it has ended'],
])

/** How a request ended that did not succeed, as far as the driver knows. */
export type Failure = Readonly<{ kind: 'duplicate' | 'in-the-way' | 'transient' | 'lost' | 'refused'; reason: string }>

/** Reads an error of the driver; `null` for one that it did not raise. */
export function failureOf(error: unknown): Failure | null {
  if (isDamagedRow(error)) return { kind: 'refused', reason: error.message }
  if (isUnsafeNumber(error)) return { kind: 'refused', reason: unsafeNumber }
  const all = flattened(error)
  const numbers = all.flatMap(({ number }) => (typeof number === 'number' ? [number] : []))
  const reason = reasonOf(numbers, all)
  if (reason === null) return null
  if (numbers.some((each) => duplicateKey.has(each))) return { kind: 'duplicate', reason }
  if (numbers.some((each) => inTheWay.has(each)) || all.some(({ message }) => unnumbered.test(message))) {
    return { kind: 'in-the-way', reason }
  }
  if (numbers.some((each) => transient.has(each))) return { kind: 'transient', reason }
  return { kind: numbers.length > 0 ? 'refused' : 'lost', reason }
}

/** An error of the driver as the ports know it; anything else is a defect and thrown on. */
export function unavailable(error: unknown): StoreUnavailable {
  const failure = failureOf(error)
  if (failure === null || isDefect(error)) throw error
  return storeUnavailable(failure.reason)
}

/** The fault of what one caller asked for, not of the database: a value that its column does not take, a gap in versions. */
function isDefect(error: unknown): boolean {
  const numbers = flattened(error).map(({ number }) => number)
  return (
    numbers.includes(thrown.versionGap) ||
    numbers.includes(515) ||
    numbers.includes(547) ||
    numbers.includes(2628) ||
    numbers.includes(8152)
  )
}

/**
 * How an attempt ended by an error. Where the COMMIT was sent along, only an answer of the server tells that it came to
 * nothing; a transient number does not.
 */
export function attemptFailure(error: unknown, isCommitSent: boolean): AttemptFailure {
  const failure = failureOf(error)
  if (failure === null || isDefect(error)) throw error
  const { kind, reason } = failure
  switch (kind) {
    case 'duplicate':
    case 'in-the-way':
      return { kind: 'contended', reason }
    case 'transient':
    case 'lost':
      return isCommitSent ? { kind: 'outcome-unknown', reason } : { kind: 'contended', reason }
    case 'refused':
      return storeUnavailable(reason)
  }
}

/** Whether all that the server had to say is that a transaction begins in one request and ends in another, as it should. */
export function isTransactionCount(error: unknown): boolean {
  const numbers = flattened(error).map(({ number }) => number)
  return numbers.length > 0 && numbers.every((number) => number === 266)
}

type DriverError = Readonly<{ code?: unknown; number?: unknown; name: string; message: string }>

function flattened(error: unknown): readonly DriverError[] {
  if (error instanceof AggregateError) return error.errors.flatMap(flattened)
  if (!(error instanceof Error)) return []
  const inner = (error as { originalError?: unknown }).originalError ?? error.cause
  return [error as DriverError, ...(inner instanceof Error ? flattened(inner) : [])]
}

function reasonOf(numbers: readonly number[], errors: readonly DriverError[]): string | null {
  for (const number of numbers) {
    const remedy = remedies.get(number)
    if (remedy !== undefined) return `SQL Server ${number}: ${remedy}`
  }
  const [number] = numbers
  if (number !== undefined) return `SQL Server ${number}`
  const code = errors.map(({ code: each }) => each).find((each) => typeof each === 'string')
  if (typeof code === 'string' && /^(E[A-Z]+|ERR_[A-Z_]+)$/.test(code)) {
    return `the connection to SQL Server failed (${code}); check that it runs and can be reached`
  }
  return errors.some(({ name }) => name === 'TimeoutError') ? 'no connection to SQL Server became free in time' : null
}

/** A stored integer that a JavaScript number cannot hold: rounding it would be worse. */
function isUnsafeNumber(error: unknown): boolean {
  return error instanceof RangeError && (error as { code?: unknown }).code === 'ERR_OUT_OF_RANGE'
}

const unsafeNumber = 'a stored number is beyond ±(2^53 − 1), which the store never writes; stop the service and restore the newest backup'

export function unsafeNumberError(): RangeError {
  return Object.assign(new RangeError(unsafeNumber), { code: 'ERR_OUT_OF_RANGE' })
}
