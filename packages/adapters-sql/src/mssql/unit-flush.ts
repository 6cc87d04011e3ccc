import type { Commit, Instant, Revision, UnitId } from '@cbp/core'
import type { SqlRow } from '../sql/engine.ts'
import { topicsOf } from '../sql/unit-topics.ts'
import { prepareEvent, prepareVersion, requireText } from '../sql/unit-values.ts'
import type { Batch, ResultSets } from './driver.ts'
import { eventWrites } from './event-writes.ts'
import { thrown } from './mssql-errors.ts'
import { paymentTallies } from './payment-tallies.ts'
import { absenceChecks, isNewDelivery, prepareRecord, recordWrites } from './record-writes.ts'
import { type RowSources, rowSources } from './row-sources.ts'
import { addressName, type Recording } from './unit-recorder.ts'
import { anyEntry, versionWrites } from './version-writes.ts'

export type Flush = Readonly<{ batch: Batch; commitOf(results: ResultSets): Commit }>

const addUnit = `INSERT INTO units (unit, revision, recorded_at, wrote_events, added_deliveries)
  VALUES (@unit, NULL, @now, @wroteEvents, @addedDeliveries);`

/**
 * All that a unit has recorded, as one batch that ends with the COMMIT. Throws where the tables would refuse a value.
 *
 * The unit's id comes first and decides (L0); then entries, rows, streams, and the head last, which all writers of
 * configuration share.
 */
export function flushOf(unit: UnitId, recording: Recording, now: Instant): Flush {
  requireText(unit, 'the id of a unit')
  const { drafts, events, records } = recording
  const rows = records.map(prepareRecord)
  const sources = rowSources()
  const versions = versionWrites(drafts.map(prepareVersion), sources)
  const wroteEvents = events.length > 0
  const addedDeliveries = records.some(isNewDelivery)
  const sql = [
    addUnit,
    ...versions.prepare,
    ...recordWrites(rows, sources),
    ...paymentTallies(rows, sources),
    ...eventWrites(events.map(prepareEvent), sources),
    ...stillAbsent(recording, sources),
    ...versions.write,
    'COMMIT TRANSACTION;',
    ...(drafts.length === 0 ? [] : ['SELECT revision, recorded_at FROM @head;']),
  ]
  const facts = { unit, now, wroteEvents: Number(wroteEvents), addedDeliveries: Number(addedDeliveries) }
  return {
    batch: {
      sql: sql.join('\n'),
      parameters: { ...facts, ...(drafts.length === 0 ? {} : { count: drafts.length }), ...sources.parameters() },
    },
    commitOf([rows]) {
      const head = rows?.[0]
      const revision = head === undefined ? null : (head['revision'] as Revision)
      const recordedAt = head === undefined ? now : (head['recorded_at'] as Instant)
      return { unit, revision, recordedAt, topics: topicsOf(revision, wroteEvents, addedDeliveries) }
    },
  }
}

/** The stored row of a unit; `null` for one that was settled as never committed. */
export function commitFromRow(unit: UnitId, row: SqlRow): Commit | null {
  if (row['recorded_at'] === null) return null
  const revision = row['revision'] as Revision | null
  const topics = topicsOf(revision, row['wrote_events'] === 1, row['added_deliveries'] === 1)
  return { unit, revision, recordedAt: row['recorded_at'] as Instant, topics }
}

/** What the unit has found absent and left so: looked up again, so that nobody has put it there in between. */
function stillAbsent({ absent, drafts, rows }: Recording, sources: RowSources): readonly string[] {
  const written = new Set(drafts.map(addressName))
  const unwritten = absent.filter((at) => !written.has(addressName(at)))
  const conditions = [...anyEntry(unwritten, sources), ...absenceChecks(rows.values(), sources)]
  return conditions.length === 0
    ? []
    : [`IF ${conditions.join(' OR ')} THROW ${thrown.noLongerAbsent}, N'a row that was absent is there', 1;`]
}
