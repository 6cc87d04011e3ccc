import {
  type AttemptFailure,
  type Clock,
  type Commit,
  type Committed,
  type StoreUnavailable,
  storeUnavailable,
  type Transaction,
  type Transactions,
  type UnitId,
} from '@cbp/core'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Driver } from './driver.ts'
import { attemptFailure, failureOf, unavailable } from './mssql-errors.ts'
import { isKnownTaken, nameOf } from './record-writes.ts'
import type { ServerTraits } from './server-traits.ts'
import { commitFromRow, flushOf } from './unit-flush.ts'
import { newRecording, type Recording, unitTransaction, valuesOf } from './unit-recorder.ts'
import { type UnitSession, unitSession } from './unit-session.ts'

type Work<T, E> = (tx: Transaction) => ResultAsync<T, E>

type Parts = Readonly<{ driver: Driver; traits: ServerTraits; clock: Pick<Clock, 'now'> }>

/** The longest that a unit may take before its flush: it holds locks and a connection. */
const longestWorkMs = 10_000

/** Units of work, each in a transaction of its own. */
export function mssqlTransactions(parts: Parts): Transactions<Transaction> {
  return {
    attempt: (unit, work) => new ResultAsync(attempt(parts, unit, work)),
    settle: (unit) => new ResultAsync(settle(parts, unit)),
  }
}

async function attempt<T, E>(
  { driver, traits, clock }: Parts,
  unit: UnitId,
  work: Work<T, E>,
): Promise<Result<Committed<T>, E | AttemptFailure>> {
  const session = unitSession(driver.session(), traits)
  const recording = newRecording()
  try {
    const worked = await inTime(work(unitTransaction(session, recording)))
    recording.ended = true
    // A read that failed has taken the transaction with it, whatever the work made of that.
    if (recording.failure !== null) return err(attemptFailure(recording.failure.error, false))
    if (worked.isErr()) return err(worked.error)
    const committed = await commit(session, unit, recording, clock)
    return committed.map((flushed): Committed<T> => ({ value: worked.value, commit: flushed }))
  } catch (error) {
    recording.ended = true
    return err(attemptFailure(error, session.isFlushed()))
  } finally {
    await session.end()
  }
}

async function commit(
  session: UnitSession,
  unit: UnitId,
  recording: Recording,
  clock: Pick<Clock, 'now'>,
): Promise<Result<Commit, AttemptFailure>> {
  const { drafts, events, records } = recording
  const now = clock.now()
  if (drafts.length === 0 && events.length === 0 && records.length === 0) return ok({ unit, revision: null, recordedAt: now, topics: [] })
  const taken = records.find(isKnownTaken)
  if (taken !== undefined) return err({ kind: 'contended', reason: `${nameOf(taken)} is taken` })
  await findUnread(session, recording)
  const { batch, commitOf } = flushOf(unit, recording, now)
  return ok(commitOf(await session.flush(batch)))
}

/** Rows that are updated without having been looked at. */
async function findUnread(session: UnitSession, { records }: Recording): Promise<void> {
  const unread = records.filter(({ op, state }) => op === 'update' && state.before === undefined)
  if (unread.length === 0) return
  const found = await session.ask(unread.map(({ table, key }) => table.find(key)))
  for (const [index, { table, state }] of unread.entries()) {
    const row = found[index]?.[0]
    state.before = row === undefined ? null : valuesOf(table, row)
  }
}

/** Work that awaits something else than its reads would hold locks for as long. */
async function inTime<T, E>(work: ResultAsync<T, E>): Promise<Result<T, E | StoreUnavailable>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Result<never, StoreUnavailable>>((resolve) => {
    timer = setTimeout(() => resolve(err(storeUnavailable(`a unit of work took longer than ${longestWorkMs} ms`))), longestWorkMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const addVoid = 'INSERT INTO units (unit, revision, recorded_at, wrote_events, added_deliveries) VALUES (@unit, NULL, NULL, 0, 0)'
const findUnit = 'SELECT revision, recorded_at, wrote_events, added_deliveries FROM units WITH (READCOMMITTEDLOCK) WHERE unit = @unit'

/** The unique index makes it wait for a unit that is still in flight, and then decides between the two. */
async function settle({ driver, traits }: Parts, unit: UnitId): Promise<Result<Commit | null, StoreUnavailable>> {
  try {
    await driver.run({ sql: `${traits.options} ${addVoid}`, parameters: { unit } })
    return ok(null)
  } catch (error) {
    if (failureOf(error)?.kind !== 'duplicate') return err(unavailable(error))
  }
  try {
    const [[row] = []] = await driver.run({ sql: `${traits.options} ${findUnit}`, parameters: { unit } })
    return row === undefined ? err(storeUnavailable('a unit was neither found nor added')) : ok(commitFromRow(unit, row))
  } catch (error) {
    return err(unavailable(error))
  }
}
