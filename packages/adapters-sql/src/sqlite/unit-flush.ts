import type { Address, Commit, Contended, Instant, Revision, Topic, UnitId, VersionDraft } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { paymentKind } from '../payments/payment-kinds.ts'
import { topicsOf } from '../sql/unit-topics.ts'
import { type PreparedEvent, type PreparedVersion, prepareEvent, prepareVersion, requireText } from '../sql/unit-values.ts'
import type { Connection, PreparedStatement } from './connection.ts'
import type { Ledger } from './ledger.ts'
import { isNewDelivery, isTaken, nameOf, type PreparedRecord, prepareRecord, writeRecord } from './record-writes.ts'
import { isDuplicateKey } from './sqlite-errors.ts'
import { addressName, isSameAddress, type KnownEntry, type Recording } from './unit-recorder.ts'

export type UnitFlush = Readonly<{
  /**
   * Writes what a unit has recorded, all of it or nothing. Throws where the store cannot hold it; if the transaction is
   * no longer open then, its batch came to nothing.
   */
  flush(unit: UnitId, recording: Recording, now: Instant): Result<Commit, Contended>
  /** The commit of a unit, or `null` from now on for ever. */
  settle(unit: UnitId): Commit | null
}>

/**
 * There is no savepoint around a flush, because nothing after its first statement can be refused: values are prepared
 * and checked beforehand, versions are held against what only this transaction can change, and sequences and positions
 * are counted here. The first statement decides by the unique unit id, alone and before any other write. An error beyond
 * that (disk full, I/O) ends the whole batch.
 */
export function unitFlush(connection: Connection, ledger: Ledger): UnitFlush {
  const sql = prepareAll(connection)

  function write(versions: readonly PreparedVersion[], events: readonly PreparedEvent[], entries: Entries, recordedAt: Instant): void {
    const head = ledger.head()
    head.recordedAt = recordedAt
    ledger.headChanged()
    if (versions.length > 0) head.revision += 1
    for (const [index, version] of versions.entries()) addVersion(sql, ledger, version, entries[index] ?? null, head.revision, recordedAt)
    for (const event of events) addEvent(sql, ledger, event)
  }

  return {
    flush(unit, { drafts, events, known, records }, now) {
      const head = ledger.head()
      const recordedAt = Math.max(now, head.recordedAt)
      if (drafts.length === 0 && events.length === 0 && records.length === 0) return ok({ unit, revision: null, recordedAt, topics: [] })
      requireText(unit, 'the id of a unit')
      const versions = drafts.map(prepareVersion)
      const prepared = events.map(prepareEvent)
      const rows = records.map(prepareRecord)
      const entries = entriesOf(sql, drafts, known)
      const taken = findTaken(drafts, entries)
      if (taken !== null) return contended(`version ${taken.version} of ${addressName(taken)} is taken`)
      const present = rows.find(isTaken)
      if (present !== undefined) return contended(`${nameOf(present)} is taken`)
      const revision = drafts.length === 0 ? null : ((head.revision + 1) as Revision)
      const topics = topicsOf(revision, events.length > 0, records.some(isNewDelivery))
      if (!addUnit(sql, unit, revision, recordedAt, topics)) return contended(`unit ${unit} has ended`)
      try {
        write(versions, prepared, entries, recordedAt)
        for (const row of rows) addRecord(ledger, row)
      } catch (error) {
        // Half a unit must not be committed by its neighbours.
        if (connection.isTransaction) connection.exec('ROLLBACK')
        throw error
      }
      return ok({ unit, revision, recordedAt, topics })
    },
    settle(unit) {
      const row = sql.unit.first(unit)
      if (row === null) {
        sql.addUnit.run(unit, null, null, 0, 0)
        return null
      }
      const [revision, recordedAt, wroteEvents, addedDeliveries] = row
      if (recordedAt === null) return null
      const taken = revision as Revision | null
      return { unit, revision: taken, recordedAt: recordedAt as Instant, topics: topicsOf(taken, wroteEvents === 1, addedDeliveries === 1) }
    },
  }
}

type Entries = readonly (KnownEntry | null)[]

type Statements = Readonly<Record<keyof ReturnType<typeof texts>, PreparedStatement>>

function texts() {
  return {
    unit: 'SELECT revision, recorded_at, wrote_events, added_deliveries FROM units WHERE unit = @unit',
    addUnit: `INSERT INTO units (unit, revision, recorded_at, wrote_events, added_deliveries)
      VALUES (@unit, @revision, @recordedAt, @wroteEvents, @addedDeliveries)`,
    entry: `SELECT e.entry_id, v.version, v.op FROM entries e JOIN versions v ON v.entry_id = e.entry_id
      WHERE e.component = @component AND e.scope = @scope AND e.[key] = @key ORDER BY v.version DESC LIMIT 1`,
    addEntry: 'INSERT INTO entries (component, scope, [key]) VALUES (@component, @scope, @key)',
    addVersion: `INSERT INTO versions
        (position, entry_id, version, revision, op, value, hash, actor, reason, request_id, restored_from, recorded_at)
      VALUES (@position, @entryId, @version, @revision, @op, @value, @hash, @actor, @reason, @requestId, @restoredFrom, @recordedAt)`,
    addEvent: `INSERT INTO events (stream, sequence, event_id, type, payload, occurred_at, traceparent)
      VALUES (@stream, @sequence, @id, @type, @payload, @occurredAt, @traceparent)`,
  } as const
}

function prepareAll(connection: Connection): Statements {
  const prepared = Object.entries(texts()).map(([name, sql]) => [name, connection.prepare(sql)])
  return Object.fromEntries(prepared) as Statements
}

/** What is at the address of each draft: mostly what the unit has read, in the order in which it read it. */
function entriesOf(sql: Statements, drafts: readonly VersionDraft[], known: readonly KnownEntry[]): Entries {
  let named: ReadonlyMap<string, KnownEntry> | null = null
  return drafts.map((draft, index) => {
    const read = known[index]
    if (read !== undefined && isSameAddress(read.at, draft)) return read
    named ??= new Map(known.map((entry) => [addressName(entry.at), entry]))
    return named.get(addressName(draft)) ?? findEntry(sql, draft)
  })
}

function findEntry(sql: Statements, at: Address): KnownEntry | null {
  const row = sql.entry.first(at.component, at.scope, at.key)
  return row === null ? null : { at, entryId: row[0] as number, version: row[1] as number, live: row[2] === 'put' }
}

/** A draft whose number another unit has taken; a number that leaves a gap is a defect of the work. */
function findTaken(drafts: readonly VersionDraft[], entries: Entries): VersionDraft | null {
  for (const [index, draft] of drafts.entries()) {
    const newest = entries[index]?.version ?? 0
    if (draft.version <= newest) return draft
    if (draft.version > newest + 1) throw new Error(`version ${draft.version} of ${addressName(draft)} leaves a gap after ${newest}`)
  }
  return null
}

/** Answers whether the unit is new. */
function addUnit(sql: Statements, unit: UnitId, revision: Revision | null, recordedAt: Instant, topics: readonly Topic[]): boolean {
  try {
    sql.addUnit.run(unit, revision, recordedAt, Number(topics.includes('events')), Number(topics.includes('deliveries')))
    return true
  } catch (error) {
    if (isDuplicateKey(error)) return false
    throw error
  }
}

function addVersion(
  sql: Statements,
  ledger: Ledger,
  { draft, value }: PreparedVersion,
  entry: KnownEntry | null,
  revision: number,
  recordedAt: Instant,
): void {
  const entryId = entry?.entryId ?? Number(sql.addEntry.run(draft.component, draft.scope, draft.key).lastInsertRowid)
  const head = ledger.head()
  head.position += 1
  sql.addVersion.run(
    head.position,
    entryId,
    draft.version,
    revision,
    draft.op,
    value,
    draft.hash,
    draft.actor,
    draft.reason,
    draft.requestId,
    draft.restoredFrom,
    recordedAt,
  )
  const live = draft.op === 'put'
  const totals = ledger.totals(draft.component)
  totals.revision = revision
  totals.entries += Number(live) - Number(entry?.live ?? false)
}

function addEvent(sql: Statements, ledger: Ledger, { draft, payload }: PreparedEvent): void {
  const { id, stream, event, occurredAt, traceparent } = draft
  const tail = ledger.stream(stream)
  tail.last += 1
  tail.added ??= { first: tail.last, occurredAt }
  sql.addEvent.run(stream, tail.last, id, event.type, payload, occurredAt, traceparent)
}

function addRecord(ledger: Ledger, row: PreparedRecord): void {
  writeRecord(row)
  if (row.recorded.table.kind === paymentKind.name) ledger.payments.written(row.before, row.values)
}

function contended(reason: string): Result<never, Contended> {
  return err({ kind: 'contended', reason })
}
