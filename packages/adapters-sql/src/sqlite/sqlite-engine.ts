import { type StoreUnavailable, storeUnavailable } from '@cbp/core'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Durability, Rows, SqlEngine, SqlSession, Statement } from '../sql/engine.ts'
import { isDamagedRow } from '../sql/stored-json.ts'
import type { Connection, PreparedStatement as Prepared } from './connection.ts'
import type { Answer, GroupCommit, SharedTransaction, Turn } from './group-commit.ts'
import type { Ledger } from './ledger.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import { isConstraint, isUnsafeNumber, sqliteCode, unavailable } from './sqlite-errors.ts'

/** The transaction on the writing connection. */
export function sharedTransaction(connection: Connection, ledger: Ledger, now: () => number, relax: boolean): SharedTransaction {
  const [begin, commit, rollback] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map((sql) => connection.prepare(sql)) as [
    Prepared,
    Prepared,
    Prepared,
  ]
  let current: Durability | null = null

  function takeBack(): void {
    ledger.forget()
    if (connection.isTransaction) rollback.run()
  }

  return {
    begin(durability) {
      // It cannot be changed inside a transaction.
      if (durability !== current) connection.exec(`PRAGMA synchronous = ${durability === 'full' && !relax ? 'FULL' : 'NORMAL'}`)
      current = durability
      begin.run()
      try {
        ledger.open()
      } catch (error) {
        takeBack()
        throw error
      }
    },
    isOpen: () => connection.isTransaction,
    complete: () => ledger.save(now()),
    commit: () => void commit.run(),
    rollback: takeBack,
  }
}

/** Reads answer from a connection of their own, because the writing one sees what is not yet committed. */
export function sqliteEngine(writer: Connection, reader: Connection, group: GroupCommit): SqlEngine {
  return {
    dialect: sqliteDialect,
    read: (statements, shape) => new ResultAsync(read(reader, statements, shape)),
    write<T>(durability: Durability, work: (session: SqlSession) => Promise<T>): ResultAsync<T, StoreUnavailable> {
      return new ResultAsync(
        new Promise((resolve, reject) => {
          group.enqueue({
            durability,
            run: (turn) => runWrite(writer, work, turn, resolve).catch(passDefect(reject)),
            fail: ({ reason }) => resolve(err(storeUnavailable(reason))),
            refuse: (failure) => resolve(err(failure)),
          })
        }),
      )
    },
  }
}

/** A defect rejects: whoever reads without waiting must not be thrown at. */
function read<T>(
  reader: Connection,
  statements: readonly Statement[],
  shape: (results: readonly Rows[]) => T,
): Promise<Result<T, StoreUnavailable>> {
  try {
    return Promise.resolve(reader.isOpen ? ok(shape(readSnapshot(reader, statements))) : err(storeUnavailable('the store is closed')))
  } catch (error) {
    return rejectDefect(error)
  }
}

async function rejectDefect(error: unknown): Promise<Result<never, StoreUnavailable>> {
  return err(unavailable(error))
}

function readSnapshot(reader: Connection, statements: readonly Statement[]): readonly Rows[] {
  try {
    // A single statement is a snapshot by itself.
    if (statements.length > 1) reader.exec('BEGIN')
    return statements.map((statement) => reader.all(statement))
  } finally {
    if (reader.isTransaction) reader.exec('COMMIT')
  }
}

/** A throw is a defect of one caller; an error of SQLite is everybody's. */
function passDefect(reject: (error: unknown) => void): (error: unknown) => Answer {
  return (error) => {
    if (sqliteCode(error) !== null) throw error
    return () => reject(error)
  }
}

/** Several statements that may fail halfway, so that a savepoint takes back the first without touching the neighbours. */
async function runWrite<T>(
  writer: Connection,
  work: (session: SqlSession) => Promise<T>,
  turn: Turn,
  answer: (outcome: Result<T, StoreUnavailable>) => void,
): Promise<Answer> {
  const session = liveSession(writer)
  writer.exec('SAVEPOINT part')
  try {
    const value = await new Promise<T>((resolve, reject) => {
      turn.onExpired((reason) => reject(new Error(reason)))
      work(session).then(resolve, reject)
    })
    writer.exec('RELEASE part')
    return () => answer(ok(value))
  } catch (error) {
    if (writer.isTransaction) writer.exec('ROLLBACK TO part; RELEASE part')
    if (!isConstraint(error) && !isDamagedRow(error) && !isUnsafeNumber(error)) throw error
    return () => answer(err(unavailable(error)))
  } finally {
    session.end()
  }
}

function liveSession(writer: Connection): SqlSession & Readonly<{ end(): void }> {
  let ended = false
  function requireLive(): void {
    if (ended) throw new Error('the transaction has ended')
  }
  async function run(statements: readonly Statement[]): Promise<readonly Rows[]> {
    requireLive()
    return statements.map((statement) => writer.all(statement))
  }
  return {
    run,
    finish: run,
    end() {
      ended = true
    },
  }
}
