import type { Clock, Instant, LeasedStream, Outbox, RelayReport, StoreUnavailable, Stream, StreamLease, StreamState } from '@cbp/core'
import { okAsync, type ResultAsync } from 'neverthrow'
import type { Rows, SqlEngine, SqlParameters, SqlRow, SqlSession, Statement } from '../sql/engine.ts'
import { eventFromRow } from './event-rows.ts'
import { type OutboxStatements, outboxStatements } from './outbox-statements.ts'
import { applyReports, type LeaseState } from './relay-reports.ts'

/** Events in one answer: reading many more at once would hold up the event loop. Further ones are asked for with `pending`. */
const eventsPerAnswer = 2048

/** The share of each stream in one answer; at least one event, or a relay would take the stream for empty. */
function shareOf(streams: number, limit: number): number {
  return Math.max(1, Math.min(limit, Math.floor(eventsPerAnswer / streams)))
}

/** The outbox over any SQL engine. Work is done by sets: its round trips do not grow with the streams. */
export function sqlOutbox(engine: SqlEngine, clock: Pick<Clock, 'now'>): Outbox {
  const sql = outboxStatements(engine.dialect)
  /** What was found last is likely to be found again. */
  let expectsBacklog = false

  function one<T>(text: string, parameters: SqlParameters, shape: (rows: Rows) => T): ResultAsync<T, StoreUnavailable> {
    return engine.read([{ sql: text, parameters }], ([rows]) => shape(rows ?? []))
  }

  return {
    lease(request) {
      if (request.limit <= 0) return okAsync([])
      const take = (): ResultAsync<readonly LeasedStream[], StoreUnavailable> =>
        engine
          .write('relaxed', (session) => leaseStreams(session, sql, clock, request))
          .andTee((leased) => {
            expectsBacklog = leased.length > 0
          })
      if (expectsBacklog) return take()
      // Most looks of an idle relay find nothing: those must not cost a transaction.
      return one(sql.candidates, { now: clock.now(), limit: 1 }, (found) => found.length > 0).andThen((isBacklog) =>
        isBacklog ? take() : okAsync([]),
      )
    },
    renew(leases, leaseMs) {
      if (leases.length === 0) return okAsync([])
      return engine.write('relaxed', (session) => renewLeases(session, sql, clock, leases, leaseMs))
    },
    pending(positions, limit) {
      if (positions.length === 0) return okAsync([])
      return one(sql.pending, { positions: JSON.stringify(positions), limit: shareOf(positions.length, limit) }, (rows) =>
        rows.map(eventFromRow),
      )
    },
    record(reports) {
      if (reports.length === 0) return okAsync([])
      return engine.write('relaxed', (session) => recordReports(session, sql, clock, reports))
    },
    backlog: () =>
      engine.read(
        [
          { sql: sql.backlog, parameters: {} },
          { sql: sql.blockedStreams, parameters: {} },
        ],
        ([totals, blocked]) => ({
          events: Number(totals?.[0]?.['events'] ?? 0),
          blockedStreams: Number(blocked?.[0]?.['streams'] ?? 0),
          oldest: (totals?.[0]?.['oldest'] ?? null) as number | null,
        }),
      ),
    stream: (stream) => one(sql.stream, { stream }, ([row]) => (row === undefined ? null : stateFromRow(row))),
    streams: ({ blocked }, after, limit) => one(sql.streams(blocked), { after: after ?? '', limit }, (rows) => rows.map(stateFromRow)),
    unblock: (stream) => engine.write('full', (session) => unblockStream(session, sql, clock, stream)),
  }
}

async function leaseStreams(
  session: SqlSession,
  sql: OutboxStatements,
  clock: Pick<Clock, 'now'>,
  { owner, limit, leaseMs, eventLimit }: Parameters<Outbox['lease']>[0],
): Promise<readonly LeasedStream[]> {
  const now = clock.now()
  const [claimed = []] = await session.run([{ sql: sql.claim, parameters: { now, limit } }])
  if (claimed.length === 0) return []
  const streams = JSON.stringify(claimed.map((row) => row['stream']))
  const expiresAt = now + leaseMs
  const results = await session.run([
    { sql: sql.takeLeases, parameters: { streams, owner, expiresAt } },
    { sql: sql.addLeases, parameters: { streams, owner, expiresAt } },
    { sql: sql.postpone, parameters: { streams, expiresAt } },
    { sql: sql.leased, parameters: { streams } },
    { sql: sql.backlogOfLeased, parameters: { streams, eventLimit: shareOf(claimed.length, eventLimit) } },
  ])
  const [leases = [], rows = []] = results.slice(-2)
  const events = Map.groupBy(rows.map(eventFromRow), ({ stream }) => stream)
  await dropEmpty(session, sql, leases, events)
  return leases.flatMap((row): readonly LeasedStream[] => {
    const stream = row['stream'] as Stream
    const backlog = events.get(stream)
    return backlog === undefined ? [] : [{ stream, fence: row['fence'] as number, refusals: row['refusals'] as number, events: backlog }]
  })
}

/** A stream that is ready without an event would have a relay lease it for ever. */
async function dropEmpty(session: SqlSession, sql: OutboxStatements, leases: Rows, events: ReadonlyMap<Stream, unknown>): Promise<void> {
  const empty = leases.map((row) => row['stream'] as Stream).filter((stream) => !events.has(stream))
  if (empty.length === 0) return
  const streams = JSON.stringify(empty)
  await session.run([
    { sql: sql.dropEmpty, parameters: { streams } },
    { sql: sql.giveBackEmpty, parameters: { streams } },
  ])
}

async function renewLeases(
  session: SqlSession,
  sql: OutboxStatements,
  clock: Pick<Clock, 'now'>,
  leases: readonly StreamLease[],
  leaseMs: number,
): Promise<readonly StreamLease[]> {
  const now = clock.now()
  const asked = JSON.stringify(leases.map(({ stream, fence }) => ({ stream, fence })))
  const [held = []] = await session.run([{ sql: sql.held, parameters: { leases: asked, now } }])
  const streams = JSON.stringify(held.map((row) => row['stream']))
  const expiresAt = now + leaseMs
  await session.finish([
    { sql: sql.renewLeases, parameters: { streams, expiresAt } },
    { sql: sql.postpone, parameters: { streams, expiresAt } },
  ])
  return held.map((row) => ({ stream: row['stream'] as Stream, fence: row['fence'] as number }))
}

async function recordReports(
  session: SqlSession,
  sql: OutboxStatements,
  clock: Pick<Clock, 'now'>,
  reports: readonly RelayReport[],
): Promise<readonly RelayReport[]> {
  const now = clock.now()
  const named = JSON.stringify([...new Set(reports.map(({ stream }) => stream))])
  const [rows = []] = await session.run([{ sql: sql.leaseStates, parameters: { streams: named } }])
  const { states, refused } = applyReports(rows.map(leaseFromRow), reports, now)
  if (states.length > 0) await session.finish(savingStates(sql, states, now))
  return refused
}

/** Each table's rows change once; what most reports leave as it was is not written. */
function savingStates(sql: OutboxStatements, states: readonly LeaseState[], now: Instant): readonly Statement[] {
  const [held, ended] = [states.filter(({ owner }) => owner !== null), states.filter(({ owner }) => owner === null)]
  const unfinished = ({ confirmed, last }: LeaseState): boolean => confirmed < last
  const blocks = ended.flatMap(({ stream, blocked }) => (blocked === null ? [] : [{ stream, ...blocked }]))
  const finished = states.filter((state) => !unfinished(state)).map(({ stream }) => stream)
  const changes: readonly (readonly [sql: string, name: string, rows: readonly unknown[], ...now: readonly Instant[]])[] = [
    [sql.confirmLeases, 'leases', held.map(leaseToRow)],
    [sql.endLeases, 'leases', ended.map(leaseToRow), now],
    [sql.blockLeases, 'blocks', blocks, now],
    [sql.dropFinished, 'streams', finished],
    [sql.moveReady, 'ready', held.filter(unfinished).map(readyToRow)],
    [sql.giveBackReady, 'ready', ended.filter(unfinished).map(readyToRow)],
  ]
  return changes.flatMap(([text, name, rows, at]) =>
    rows.length === 0 ? [] : [{ sql: text, parameters: { [name]: JSON.stringify(rows), ...(at === undefined ? {} : { now: at }) } }],
  )
}

async function unblockStream(
  session: SqlSession,
  sql: OutboxStatements,
  clock: Pick<Clock, 'now'>,
  stream: Stream,
): Promise<StreamState | null> {
  const [rows = []] = await session.run([{ sql: sql.stream, parameters: { stream } }])
  const row = rows[0]
  if (row === undefined) return null
  const state = stateFromRow(row)
  if (state.blocked === null) return state
  await session.finish([
    { sql: sql.unblock, parameters: { stream } },
    { sql: sql.makeAvailable, parameters: { stream, now: clock.now() } },
  ])
  return { ...state, refusals: 0, blocked: null }
}

function stateFromRow(row: SqlRow): StreamState {
  const sequence = row['blocked_sequence'] as number | null
  return {
    stream: row['stream'] as Stream,
    last: row['last_sequence'] as number,
    confirmed: row['confirmed'] as number,
    refusals: row['refusals'] as number,
    blocked: sequence === null ? null : { sequence, reason: row['blocked_reason'] as string, since: row['blocked_since'] as number },
  }
}

function leaseFromRow(row: SqlRow): LeaseState {
  return {
    stream: row['stream'] as Stream,
    fence: row['fence'] as number,
    owner: row['owner'] as string | null,
    expiresAt: row['expires_at'] as number,
    confirmed: row['confirmed'] as number,
    last: row['last_sequence'] as number,
    refusals: row['refusals'] as number,
    availableAt: row['expires_at'] as number,
    blocked: null,
  }
}

function leaseToRow({ stream, confirmed, refusals }: LeaseState): SqlRow {
  return { stream, confirmed, refusals }
}

function readyToRow({ stream, confirmed, availableAt }: LeaseState): SqlRow {
  return { stream, confirmed, available_at: availableAt }
}
