import type { SqlValue } from '../sql/engine.ts'
import { deliveryKind } from '../webhooks/webhook-kinds.ts'
import type { RowSources } from './row-sources.ts'
import type { AnyTable, KnownRow, RecordedRow } from './unit-recorder.ts'

/** A recorded row whose every value its table takes, and what it replaces. */
export type PreparedRecord = Readonly<{ recorded: RecordedRow; values: readonly SqlValue[]; before: readonly SqlValue[] | null }>

/** Throws where the table would refuse a value, and where there is nothing to update: both are defects of the work. */
export function prepareRecord(recorded: RecordedRow): PreparedRecord {
  const { table, op, key, state, row } = recorded
  const values = table.encode(row)
  if (op === 'insert') return { recorded, values, before: null }
  if (state.before === null || state.before === undefined) {
    throw new Error(`${table.kind} ${key.join(' ')} cannot be updated: it does not exist`)
  }
  return { recorded, values, before: state.before }
}

/** Rows that a unit has found, or found missing, and then updates or inserts otherwise than it found them. */
export function isKnownTaken({ op, state: { before } }: RecordedRow): boolean {
  return op === 'insert' && before !== null && before !== undefined
}

export function nameOf({ table, key }: RecordedRow): string {
  return `${table.kind} ${key.join(' ')}`
}

export function isNewDelivery({ op, table }: RecordedRow): boolean {
  return op === 'insert' && table.kind === deliveryKind.name
}

type Group = { table: AnyTable; columns: readonly string[] | null; rows: (readonly SqlValue[])[] }

/** Inserts and updates by sets: one statement for each kind, and for each set of columns that change together. */
export function recordWrites(rows: readonly PreparedRecord[], sources: RowSources): readonly string[] {
  const groups = new Map<string, Group>()
  for (const { recorded, values, before } of inOneOrder(rows)) {
    const { table } = recorded
    const columns = before === null ? null : changedColumns(table, before, values)
    if (columns?.length === 0) continue
    const name = `${table.kind} ${columns === null ? '' : columns.join(' ')}`
    const group = groups.get(name) ?? { table, columns, rows: [] }
    groups.set(name, group)
    group.rows.push(values)
  }
  return [...groups.values()].map(({ table, columns, rows: written }) => {
    if (columns === null) return table.insert(sources.add(table.sourceColumns(table.columns), written))
    const names = table.columns.filter((name, index) => index < table.keyLength || columns.includes(name))
    const indexes = names.map((name) => table.columns.indexOf(name))
    const taken = written.map((values) => indexes.map((index) => values[index] as SqlValue))
    return table.update(sources.add(table.sourceColumns(names), taken), columns)
  })
}

/** Conditions: rows found absent that the unit does not insert are there. They must stay absent until its COMMIT. */
export function absenceChecks(rows: Iterable<KnownRow>, sources: RowSources): readonly string[] {
  const groups = new Map<AnyTable, (readonly SqlValue[])[]>()
  for (const { table, key, state } of rows) {
    if (state.before !== null || state.isRecorded) continue
    const group = groups.get(table) ?? []
    groups.set(table, group)
    group.push(key)
  }
  return [...groups].map(([table, keys]) => table.anyTaken(sources.add(table.sourceColumns(table.columns.slice(0, table.keyLength)), keys)))
}

/** Units that write the same rows lock them in the same order. */
function inOneOrder(rows: readonly PreparedRecord[]): readonly PreparedRecord[] {
  if (rows.length < 2) return rows
  const named = rows.map((row) => ({ row, name: `${row.recorded.table.kind} ${JSON.stringify(row.recorded.key)}` }))
  return named.toSorted((left, right) => (left.name < right.name ? -1 : 1)).map(({ row }) => row)
}

function changedColumns({ columns, keyLength }: AnyTable, before: readonly SqlValue[], after: readonly SqlValue[]): readonly string[] {
  return columns.filter((_, index) => index >= keyLength && before[index] !== after[index])
}
