import { paymentKind } from '../payments/payment-kinds.ts'
import { hourOf } from '../sql/hour-of.ts'
import { binaryCollation } from './mssql-dialect.ts'
import type { PreparedRecord } from './record-writes.ts'
import type { RowSource, RowSources, SourceColumn } from './row-sources.ts'

const columns = Object.keys(paymentKind.columns)
const [idColumn, statusColumn, createdColumn] = ['id', 'status', 'created_at'].map((name) => columns.indexOf(name)) as [
  number,
  number,
  number,
]

const totalColumns: readonly SourceColumn[] = [
  ['status', 'nvarchar(20)'],
  ['added', 'bigint'],
]
const hourColumns: readonly SourceColumn[] = [
  ['hour', 'bigint'],
  ['first_id', 'nvarchar(36)'],
  ['last_id', 'nvarchar(36)'],
]

/** A row of a status, or of an hour, would have all payments wait in one line: so there are many, one for a few connections each. */
const countTotals = (totals: RowSource): string => `
UPDATE payment_tallies SET payments = payment_tallies.payments + j.added FROM ${totals('j')}
  WHERE payment_tallies.status = j.status ${binaryCollation} AND payment_tallies.shard = @shard;
INSERT INTO payment_tallies (status, shard, payments) SELECT j.status, @shard, j.added FROM ${totals('j')}
  WHERE NOT EXISTS (SELECT 1 FROM payment_tallies t WHERE t.status = j.status ${binaryCollation} AND t.shard = @shard);`

const widenHours = (hours: RowSource): string => `
UPDATE payment_hours SET
    first_id = CASE WHEN j.first_id ${binaryCollation} < payment_hours.first_id THEN j.first_id ${binaryCollation} ELSE payment_hours.first_id END,
    last_id = CASE WHEN j.last_id ${binaryCollation} > payment_hours.last_id THEN j.last_id ${binaryCollation} ELSE payment_hours.last_id END
  FROM ${hours('j')} WHERE payment_hours.[hour] = j.[hour] AND payment_hours.shard = @shard;
INSERT INTO payment_hours ([hour], shard, first_id, last_id) SELECT j.[hour], @shard, j.first_id, j.last_id FROM ${hours('j')}
  WHERE NOT EXISTS (SELECT 1 FROM payment_hours h WHERE h.[hour] = j.[hour] AND h.shard = @shard);`

/** How many payments there are of each status, and which ids were created in which hour. */
export function paymentTallies(rows: readonly PreparedRecord[], sources: RowSources): readonly string[] {
  const added = new Map<string, number>()
  const ids = new Map<number, { first: string; last: string }>()
  for (const { recorded, before, values } of rows) {
    if (recorded.table.kind !== paymentKind.name) continue
    if (before !== null) add(added, before[statusColumn] as string, -1)
    add(added, values[statusColumn] as string, 1)
    if (before?.[createdColumn] === values[createdColumn]) continue
    widen(ids, hourOf(values[createdColumn] as number), values[idColumn] as string)
  }
  const totals = [...added].filter(([, count]) => count !== 0).toSorted(([left], [right]) => (left < right ? -1 : 1))
  const hours = [...ids].map(([hour, { first, last }]) => [hour, first, last] as const)
  return [
    ...(totals.length + hours.length === 0 ? [] : ['DECLARE @shard int = @@SPID % 16;']),
    ...(totals.length === 0 ? [] : [countTotals(sources.add(totalColumns, totals))]),
    ...(hours.length === 0 ? [] : [widenHours(sources.add(hourColumns, hours))]),
  ]
}

function add(added: Map<string, number>, status: string, count: number): void {
  added.set(status, (added.get(status) ?? 0) + count)
}

function widen(hoursOfIds: Map<number, { first: string; last: string }>, hour: number, id: string): void {
  const found = hoursOfIds.get(hour)
  if (found === undefined) hoursOfIds.set(hour, { first: id, last: id })
  else if (id < found.first) found.first = id
  else if (id > found.last) found.last = id
}
