import type { SqlValue } from '../sql/engine.ts'
import { keyValuesOf, type RecordKind, recordCodec } from '../sql/record-kind.ts'
import { type RecordKinds, recordKinds } from '../sql/record-kinds.ts'
import { recordStatements } from '../sql/record-statements.ts'
import type { Connection, PreparedStatement } from './connection.ts'

/** The table of one kind of record, as this connection reads and writes it. */
export type RecordTable<Row, Key> = Readonly<{
  /** One row, in messages. */
  kind: string
  isAppendOnly: boolean
  keyOf(of: Key): readonly SqlValue[]
  find(key: readonly SqlValue[]): readonly SqlValue[] | null
  isTaken(key: readonly SqlValue[]): boolean
  /** Throws where the table would refuse a value. */
  encode(row: Row): readonly SqlValue[]
  decode(values: readonly SqlValue[]): Row
  insert(values: readonly SqlValue[]): void
  /** Writes the columns that differ, so that only their indexes are touched. */
  update(before: readonly SqlValue[], after: readonly SqlValue[]): void
}>

export type RecordTables = Readonly<{
  [Name in keyof RecordKinds]: RecordKinds[Name] extends RecordKind<infer Row, infer KeyName> ? RecordTable<Row, Pick<Row, KeyName>> : never
}>

export function recordTables(connection: Connection): RecordTables {
  const tables = Object.entries(recordKinds).map(([name, kind]) => [name, recordTable(connection, kind as never)])
  return Object.fromEntries(tables) as RecordTables
}

function recordTable<Row, KeyName extends keyof Row>(
  connection: Connection,
  kind: RecordKind<Row, KeyName>,
): RecordTable<Row, Pick<Row, KeyName>> {
  const texts = recordStatements(kind)
  const { encode, decode } = recordCodec(kind)
  const [find, isTaken, insert] = [texts.find, texts.isTaken, texts.insert].map((sql) => connection.prepare(sql)) as [
    PreparedStatement,
    PreparedStatement,
    PreparedStatement,
  ]
  return {
    kind: kind.name,
    isAppendOnly: kind.isAppendOnly ?? false,
    keyOf: (of) => keyValuesOf(kind, of),
    find: (key) => find.first(...key),
    isTaken: (key) => isTaken.first(...key) !== null,
    encode,
    decode,
    insert: (values) => void insert.run(...values),
    update: updates(connection, Object.keys(kind.columns), kind.key.length, texts.update),
  }
}

/** Statements for the sets of columns that change together: a kind has few of them. */
function updates(
  connection: Connection,
  columns: readonly string[],
  keyLength: number,
  textOf: (columns: readonly string[]) => string,
): RecordTable<unknown, unknown>['update'] {
  const prepared = new Map<number, PreparedStatement>()
  return (before, after) => {
    let changed = 0
    const values: SqlValue[] = []
    for (let index = keyLength; index < columns.length; index += 1) {
      const value = after[index] as SqlValue
      if (value === before[index]) continue
      changed |= 1 << index
      values.push(value)
    }
    if (changed === 0) return
    let statement = prepared.get(changed)
    if (statement === undefined) {
      statement = connection.prepare(textOf(columns.filter((_, index) => (changed & (1 << index)) !== 0)))
      prepared.set(changed, statement)
    }
    for (let index = 0; index < keyLength; index += 1) values.push(after[index] as SqlValue)
    statement.run(...values)
  }
}
