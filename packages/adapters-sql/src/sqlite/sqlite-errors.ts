import { type StoreUnavailable, storeUnavailable } from '@cbp/core'
import type { StoreOpenError } from '../sql/open-errors.ts'
import { isDamagedRow } from '../sql/stored-json.ts'

/** The primary result codes of https://www.sqlite.org/rescode.html that are told apart. */
const codes = {
  permission: 3,
  busy: 5,
  locked: 6,
  readonly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  constraint: 19,
  notADatabase: 26,
} as const

const duplicateKey: ReadonlySet<number> = new Set([1555, 2067])

/** The message of SQLite is left out on purpose: it may name what a caller sent. */
const remedies: ReadonlyMap<number, string> = new Map([
  [codes.permission, 'the database file may not be accessed; check the owner and mode of the data directory'],
  [codes.busy, 'another process holds the database; it should give way within seconds, else stop it'],
  [codes.locked, 'the database is locked within this process; try again'],
  [codes.readonly, 'the database is read-only; check the owner and mode of its file and directory, and how its disk is mounted'],
  [codes.io, 'the disk failed to read or write; check the disk and its mount, then start again'],
  [codes.corrupt, 'the database file is damaged; stop the service and restore the newest backup'],
  [codes.full, 'the disk is full; free space on the disk of the data directory'],
  [codes.cannotOpen, 'the database file cannot be opened; check that its directory exists and may be written'],
  [codes.notADatabase, 'the file is not a SQLite database; point the setting at another path or restore the newest backup'],
])

/** The extended result code, or `null` for an error that SQLite did not raise. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error)) return null
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode : null
}

/** A lock that another connection holds. */
export function isBusy(error: unknown): boolean {
  const primary = (sqliteCode(error) ?? 0) & 255
  return primary === codes.busy || primary === codes.locked
}

export function isDuplicateKey(error: unknown): boolean {
  return duplicateKey.has(sqliteCode(error) ?? 0)
}

export function isConstraint(error: unknown): boolean {
  return ((sqliteCode(error) ?? 0) & 255) === codes.constraint
}

/** The fault of what one caller asked for, not of the database. */
export function isDefect(error: unknown): boolean {
  return sqliteCode(error) === null || isConstraint(error)
}

export function reasonOf(code: number): string {
  return `SQLite ${code}: ${remedies.get(code & 255) ?? 'the database refused the statement'}`
}

/** An error of SQLite, or a damaged row, as the ports know it; anything else is a defect and thrown on. */
export function unavailable(error: unknown): StoreUnavailable {
  if (isDamagedRow(error)) return storeUnavailable(error.message)
  if (isUnsafeNumber(error)) return storeUnavailable(unsafeNumber)
  const code = sqliteCode(error)
  if (code === null) throw error
  return storeUnavailable(reasonOf(code))
}

const unsafeNumber = 'a stored number is beyond ±(2^53 − 1), which the store never writes; stop the service and restore the newest backup'

/** A stored integer that a JavaScript number cannot hold: rounding it would be worse. */
export function isUnsafeNumber(error: unknown): boolean {
  return error instanceof RangeError && (error as { code?: unknown }).code === 'ERR_OUT_OF_RANGE'
}

/** Why a file did not open, by what was thrown. */
export function openError(error: unknown): StoreOpenError {
  const code = sqliteCode(error)
  if (code !== null) {
    return { kind: 'store-open-error', cause: isBusy(error) ? 'busy' : 'unusable-file', reason: reasonOf(code) }
  }
  const systemCode = (error as { code?: unknown }).code
  if (typeof systemCode !== 'string') throw error
  const reason = `the directory of the database cannot be made or entered (${systemCode}); check the data directory and its owner`
  return { kind: 'store-open-error', cause: 'unusable-file', reason }
}
