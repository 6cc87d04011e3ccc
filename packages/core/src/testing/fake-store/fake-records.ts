import { okAsync } from 'neverthrow'
import type { Records } from '../../kernel/records.ts'

/** Rows of one kind by their key, each with a stamp that changes whenever it is written. */
export type RecordTable<Row, KeyName extends keyof Row> = Readonly<{
  name: string
  keyNames: readonly KeyName[]
  rows: Map<string, Readonly<{ row: Row; stamp: number }>>
}>

/** What a unit has seen and recorded of any kind, with the means to hold it against the store and to apply it. */
export type RecordedWrites = {
  /** Whether everything found is still as it was. */
  readonly checks: (() => string | null)[]
  readonly writes: { readonly place: string; readonly apply: () => void }[]
}

export function recordTable<Row, KeyName extends keyof Row>(name: string, ...keyNames: readonly KeyName[]): RecordTable<Row, KeyName> {
  return { name, keyNames, rows: new Map() }
}

export function rowOf<Row, KeyName extends keyof Row>(table: RecordTable<Row, KeyName>, key: Readonly<Pick<Row, KeyName>>): Row | null {
  return table.rows.get(keyOf(table, key))?.row ?? null
}

export function allRows<Row, KeyName extends keyof Row>({ rows }: RecordTable<Row, KeyName>): readonly Row[] {
  return Array.from(rows.values(), ({ row }) => row)
}

export function removeRow<Row, KeyName extends keyof Row>(table: RecordTable<Row, KeyName>, key: Readonly<Pick<Row, KeyName>>): void {
  table.rows.delete(keyOf(table, key))
}

let stamps = 0

/** Optimistic: `find` notes what it saw, and the unit is contended when that is no longer so. */
export function recordsOver<Row, KeyName extends keyof Row>(
  table: RecordTable<Row, KeyName>,
  { checks, writes }: RecordedWrites,
): Records<Row, KeyName> {
  const record = (row: Row, mustExist: boolean): void => {
    const key = keyOf(table, row)
    const place = `${table.name} ${key}`
    if (writes.some((write) => write.place === place)) throw new Error(`${place} is recorded twice in one unit`)
    if (mustExist && !table.rows.has(key)) throw new Error(`${place} does not exist`)
    if (!mustExist) checks.push(() => (table.rows.has(key) ? `${place} is taken` : null))
    writes.push({
      place,
      apply: () => {
        stamps += 1
        table.rows.set(key, { row, stamp: stamps })
      },
    })
  }
  return {
    find(at) {
      const key = keyOf(table, at)
      const held = table.rows.get(key)
      checks.push(() => (table.rows.get(key)?.stamp === held?.stamp ? null : `${table.name} ${key} has changed`))
      return okAsync(held?.row ?? null)
    },
    insert: (row) => record(row, false),
    update: (row) => record(row, true),
  }
}

function keyOf<Row, KeyName extends keyof Row>({ keyNames }: RecordTable<Row, KeyName>, key: Readonly<Pick<Row, KeyName>>): string {
  return keyNames.length === 1 ? String(key[keyNames[0] as KeyName]) : JSON.stringify(keyNames.map((name) => key[name]))
}
