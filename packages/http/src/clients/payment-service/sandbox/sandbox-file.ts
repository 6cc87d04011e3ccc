import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { type Clock, neverCancelled, type Random } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'

export type Row = Readonly<Record<string, string | number | null>>
export type Parameters = readonly (string | number | null)[]

/** Statements inside a transaction, or between two of them. */
export type Statements = Readonly<{
  all(sql: string, ...parameters: Parameters): readonly Row[]
  run(sql: string, ...parameters: Parameters): void
}>

/** `written`: whether it may have been. */
export type FileFault = Readonly<{ written: boolean; reason: string }>

/**
 * A SQLite file that several processes share. Transactions of one turn of the event loop share one COMMIT, which waits for
 * the disk (synchronous=FULL), and are answered after it.
 */
export type SandboxFile = Readonly<{
  /** `work` is synchronous, and throws for defects only. */
  transact<T>(work: (statements: Statements) => T): Promise<Result<T, FileFault>>
  read<T>(work: (statements: Statements) => T): Promise<Result<T, FileFault>>
  close(): Promise<void>
}>

const schema = `
CREATE TABLE IF NOT EXISTS attempts (
  attempt_id TEXT PRIMARY KEY, payment_id TEXT NOT NULL, content TEXT NOT NULL, begins_at INTEGER NOT NULL,
  amount INTEGER NOT NULL, currency TEXT NOT NULL, reference TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS attempts_of_payment ON attempts (payment_id);
CREATE TABLE IF NOT EXISTS changes (
  attempt_id TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT,
  PRIMARY KEY (attempt_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ignored_attempts (attempt_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS callbacks (
  id INTEGER PRIMARY KEY, attempt_id TEXT NOT NULL, webhook_id TEXT NOT NULL, body TEXT NOT NULL, due_at INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0, leased_until INTEGER NOT NULL DEFAULT 0, ended_at INTEGER, outcome TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS callbacks_due ON callbacks (due_at) WHERE ended_at IS NULL;
CREATE INDEX IF NOT EXISTS callbacks_of_attempt ON callbacks (attempt_id, id) WHERE ended_at IS NULL;
`

/** A wait for another process's lock holds up the event loop, hence the short one. */
const busyTimeoutMs = 5
const patienceMs = 5000
const busyPauseMs = 25

const closed: FileFault = { written: false, reason: 'the sandbox is closed' }

type Waiting = Readonly<{ work: (statements: Statements) => void; fail: (error: unknown, written: boolean) => void; answer: () => void }>

/** Rejects with how to mend it when the file cannot be opened. */
export async function openSandboxFile(path: string, clock: Clock, random: Random): Promise<SandboxFile> {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs })
  const whenFree = <T>(work: () => T): Promise<T> => retryWhileBusy(clock, random, work)
  try {
    await whenFree(() => database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL'))
    await whenFree(() => database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`))
  } catch (error) {
    database.close()
    if (!isDamage(error)) throw error
    throw new Error(`${(error as Error).message}; delete it while nothing runs, and every attempt is forgotten`, { cause: error })
  }
  const statements = preparedOnce(database)
  let queue: Waiting[] = []
  let draining: Promise<void> | null = null

  async function drain(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (queue.length > 0) {
      const batch = queue
      queue = []
      await commit(batch)
    }
    draining = null
  }

  async function commit(batch: readonly Waiting[]): Promise<void> {
    let written = false
    try {
      await whenFree(() => database.exec('BEGIN IMMEDIATE'))
      for (const { work } of batch) work(statements)
      written = true
      database.exec('COMMIT')
      for (const { answer } of batch) answer()
    } catch (error) {
      if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
      for (const { fail } of batch) fail(error, written)
    }
  }

  return {
    transact: <T>(work: (given: Statements) => T) =>
      new Promise<Result<T, FileFault>>((resolve, reject) => {
        if (!database.isOpen) return resolve(err(closed))
        let outcome: Result<T, FileFault>
        queue.push({
          work: (given) => {
            outcome = ok(work(given))
          },
          fail: (error, written) => {
            const fault = faultOf(error, written)
            if (fault === null) reject(error)
            else resolve(err(fault))
          },
          answer: () => resolve(outcome),
        })
        draining ??= drain()
      }),
    async read(work) {
      if (!database.isOpen) return err(closed)
      try {
        return ok(await whenFree(() => work(statements)))
      } catch (error) {
        const fault = faultOf(error, false)
        if (fault === null) throw error
        return err(fault)
      }
    },
    async close() {
      await draining
      if (database.isOpen) database.close()
    },
  }
}

function preparedOnce(database: DatabaseSync): Statements {
  const prepared = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  function statement(sql: string): ReturnType<DatabaseSync['prepare']> {
    const found = prepared.get(sql) ?? database.prepare(sql)
    prepared.set(sql, found)
    return found
  }
  return {
    all: (sql, ...parameters) => statement(sql).all(...(parameters as SQLInputValue[])) as readonly Row[],
    run: (sql, ...parameters) => void statement(sql).run(...(parameters as SQLInputValue[])),
  }
}

async function retryWhileBusy<T>(clock: Clock, random: Random, work: () => T): Promise<T> {
  for (const end = clock.now() + patienceMs; ; ) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || clock.now() >= end) throw error
    }
    await clock.sleep(1 + Math.floor(random.fraction() * busyPauseMs), neverCancelled)
  }
}

/** SQLITE_BUSY and SQLITE_LOCKED, with their extended forms. */
function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' && [5, 6].includes(code & 255)
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
function isDamage(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' && [11, 26].includes(code & 255)
}

/** Never the message: it may quote a value. Anything but an error of SQLite is a defect, and stays what it is. */
function faultOf(error: unknown, written: boolean): FileFault | null {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' ? { written, reason: `the file of the sandbox fails (SQLite ${errcode})` } : null
}
