import { okAsync } from 'neverthrow'
import type { Records } from '../../kernel/records.ts'

/** A row as it was written; written again, even unchanged, it is another one. */
type Written<Row> = Readonly<{ row: Row }>

/** Something that follows the rows of a table, so that no query has to look at all of them. */
type RowIndex<Row> = Readonly<{ replace: (key: string, before: Row | null, after: Row | null) => void }>

/** Rows of one kind by their key. */
export type RecordTable<Row, KeyName extends keyof Row> = Readonly<{
  name: string
  keyNames: readonly KeyName[]
  rows: Map<string, Written<Row>>
  /** Rows are inserted, never updated. */
  isAppendOnly: boolean
  indexes: RowIndex<Row>[]
}>

/** What a unit has seen and recorded of any kind, with the means to hold it against the store and to apply it. */
export type RecordedWrites = {
  /** Why the unit is contended: what it found is no longer so, or what it inserts is taken. */
  readonly checks: (() => string | null)[]
  readonly found: Set<string>
  readonly writes: Map<string, Readonly<{ table: string; op: 'insert' | 'update'; apply: () => void }>>
}

export function nothingRecorded(): RecordedWrites {
  return { checks: [], found: new Set(), writes: new Map() }
}

export function recordTable<Row, KeyName extends keyof Row>(name: string, ...keyNames: readonly KeyName[]): RecordTable<Row, KeyName> {
  return { name, keyNames, rows: new Map(), isAppendOnly: false, indexes: [] }
}

/** The rows of each group; `groupOf` answers `null` for rows that nobody looks for. */
export function groupsOf<Row, KeyName extends keyof Row>(
  table: RecordTable<Row, KeyName>,
  groupOf: (row: Row) => string | null,
): (group: string) => readonly Row[] {
  const groups = new Map<string, Map<string, Row>>()
  table.indexes.push({
    replace(key, before, after) {
      const [left, entered] = [before, after].map((row) => (row === null ? null : groupOf(row))) as [string | null, string | null]
      if (left !== null && left !== entered) {
        const group = groups.get(left)
        group?.delete(key)
        if (group?.size === 0) groups.delete(left)
      }
      if (entered === null || after === null) return
      const group = groups.get(entered)
      if (group === undefined) groups.set(entered, new Map([[key, after]]))
      else group.set(key, after)
    },
  })
  return (group) => [...(groups.get(group)?.values() ?? [])]
}

/** Removes rows that are over; looks at none while not one can be. */
export function expiryOf<Row, KeyName extends keyof Row>(
  table: RecordTable<Row, KeyName>,
  expiresAt: (row: Row) => number,
): (now: number, limit: number) => number {
  let notBefore = Number.POSITIVE_INFINITY
  table.indexes.push({
    replace(_key, _before, after) {
      if (after !== null) notBefore = Math.min(notBefore, expiresAt(after))
    },
  })
  return (now, limit) => {
    if (now < notBefore) return 0
    const expired = allRows(table).filter((row) => expiresAt(row) <= now)
    for (const row of expired.slice(0, limit)) write(table, keyOf(table, row), null)
    notBefore = allRows(table).reduce((earliest, row) => Math.min(earliest, expiresAt(row)), Number.POSITIVE_INFINITY)
    return Math.min(expired.length, limit)
  }
}

export function rowOf<Row, KeyName extends keyof Row>(table: RecordTable<Row, KeyName>, key: Readonly<Pick<Row, KeyName>>): Row | null {
  return table.rows.get(keyOf(table, key))?.row ?? null
}

export function allRows<Row, KeyName extends keyof Row>({ rows }: RecordTable<Row, KeyName>): readonly Row[] {
  return Array.from(rows.values(), ({ row }) => row)
}

/** For rows that a unit may update because it has found the one that guards them. */
export function noteFound<Row, KeyName extends keyof Row>(
  table: RecordTable<Row, KeyName>,
  { found }: RecordedWrites,
  rows: readonly Row[],
): readonly Row[] {
  for (const row of rows) found.add(placeOf(table, keyOf(table, row)))
  return rows
}

/** Optimistic: `find` notes what it saw, and the unit is contended when that is no longer so. */
export function recordsOver<Row, KeyName extends keyof Row>(
  table: RecordTable<Row, KeyName>,
  { checks, found, writes }: RecordedWrites,
): Records<Row, KeyName> {
  const record = (op: 'insert' | 'update', row: Row): void => {
    const key = keyOf(table, row)
    const place = placeOf(table, key)
    if (op === 'update' && table.isAppendOnly) throw new Error(`${place} cannot be updated: it is kept as it is`)
    if (writes.has(place)) throw new Error(`${place} is recorded twice in one unit`)
    if (op === 'insert') checks.push(() => (table.rows.has(key) ? `${place} is taken` : null))
    else if (!table.rows.has(key)) throw new Error(`${place} does not exist`)
    // Other engines might let it pass, and lose what another unit has written in between.
    else if (!found.has(place)) throw new Error(`${place} is updated by a unit that has not found it`)
    writes.set(place, { table: table.name, op, apply: () => write(table, key, row) })
  }
  return {
    find(at) {
      const key = keyOf(table, at)
      const held = table.rows.get(key)
      const place = placeOf(table, key)
      found.add(place)
      checks.push(() => (table.rows.get(key) === held ? null : `${place} has changed`))
      return okAsync(held?.row ?? null)
    },
    insert: (row) => record('insert', row),
    update: (row) => record('update', row),
  }
}

function write<Row, KeyName extends keyof Row>({ rows, indexes }: RecordTable<Row, KeyName>, key: string, row: Row | null): void {
  const before = rows.get(key)?.row ?? null
  if (row === null) rows.delete(key)
  else rows.set(key, { row })
  for (const index of indexes) index.replace(key, before, row)
}

function placeOf({ name }: Readonly<{ name: string }>, key: string): string {
  return `${name} ${key}`
}

function keyOf<Row, KeyName extends keyof Row>({ keyNames }: RecordTable<Row, KeyName>, key: Readonly<Pick<Row, KeyName>>): string {
  return keyNames.length === 1 ? String(key[keyNames[0] as KeyName]) : JSON.stringify(keyNames.map((name) => key[name]))
}
