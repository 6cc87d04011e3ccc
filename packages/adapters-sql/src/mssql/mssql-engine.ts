import { type Clock, fullJitterMs, type Random, type StoreUnavailable, storeUnavailable } from '@cbp/core'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Rows, SqlEngine, SqlSession, Statement } from '../sql/engine.ts'
import type { Driver, Session } from './driver.ts'
import { joinedBatch, rowsOfEach } from './joined-batch.ts'
import { mssqlDialect } from './mssql-dialect.ts'
import { failureOf, unavailable } from './mssql-errors.ts'
import type { ServerTraits } from './server-traits.ts'

type Parts = Readonly<{ driver: Driver; traits: ServerTraits; clock: Pick<Clock, 'sleep'>; random: Random }>

const attemptsPerWrite = 10

/** Statements of the stores over a pool. A read is one round trip; a write begins with its first and commits with its last one. */
export function mssqlEngine(parts: Parts): SqlEngine {
  return {
    dialect: mssqlDialect,
    read: (statements, shape) => new ResultAsync(read(parts, statements, shape)),
    write: (_durability, work) => new ResultAsync(write(parts, work)),
  }
}

async function read<T>(
  { driver, traits, clock, random }: Parts,
  statements: readonly Statement[],
  shape: (results: readonly Rows[]) => T,
): Promise<Result<T, StoreUnavailable>> {
  const [before, after] = statements.length === 1 ? traits.aroundQuery : traits.aroundQueries
  const batch = joinedBatch(statements, before, after)
  for (let attempt = 1; ; attempt += 1) {
    try {
      return ok(shape(rowsOfEach(statements, await driver.run(batch))))
    } catch (error) {
      if (attempt >= attemptsPerWrite || !isPassing(error)) return err(unavailable(error))
    }
    await clock.sleep(fullJitterMs(random, attempt, 5, 500))
  }
}

async function write<T>(parts: Parts, work: (session: SqlSession) => Promise<T>): Promise<Result<T, StoreUnavailable>> {
  const { driver, traits, clock, random } = parts
  for (let attempt = 1; ; attempt += 1) {
    const held = driver.session()
    const session = writeSession(held, traits)
    try {
      const value = await work(session.statements)
      await session.commit()
      return ok(value)
    } catch (error) {
      // Where the COMMIT was lost, the writes may stand: whoever runs them again would be answered by what they left.
      if (session.isCommitSent() && isUncertain(error)) return err(storeUnavailable('the answer to a COMMIT was lost'))
      if (attempt >= attemptsPerWrite || !isPassing(error)) return err(unavailable(error))
    } finally {
      await held.end()
    }
    await clock.sleep(fullJitterMs(random, attempt, 5, 500))
  }
}

type WriteSession = Readonly<{ statements: SqlSession; commit(): Promise<void>; isCommitSent(): boolean }>

function writeSession(held: Session, traits: ServerTraits): WriteSession {
  let isBegun = false
  let isCommitSent = false

  async function run(statements: readonly Statement[], after: string): Promise<readonly Rows[]> {
    if (isCommitSent) throw new Error('the transaction has ended')
    if (statements.length === 0 && after === '') return []
    const before = isBegun ? traits.options : `${traits.options} ${traits.begin}`
    isBegun = true
    isCommitSent = after !== ''
    const transaction = isCommitSent ? 'ends' : 'begins'
    return rowsOfEach(statements, await held.run({ ...joinedBatch(statements, before, after), transaction }))
  }

  return {
    statements: {
      run: (statements) => run(statements, ''),
      finish: (statements) => run(statements, 'COMMIT TRANSACTION;'),
    },
    async commit() {
      if (isBegun && !isCommitSent) await run([], 'COMMIT TRANSACTION;')
    },
    isCommitSent: () => isCommitSent,
  }
}

function isUncertain(error: unknown): boolean {
  const kind = failureOf(error)?.kind
  return kind === 'lost' || kind === 'transient'
}

/** Whether another try is likely to fare better, and cannot do harm: the server has said that nothing was written. */
function isPassing(error: unknown): boolean {
  const kind = failureOf(error)?.kind
  return kind === 'duplicate' || kind === 'in-the-way' || kind === 'transient' || kind === 'lost'
}
