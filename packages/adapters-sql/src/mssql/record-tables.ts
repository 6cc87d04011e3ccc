import type { SqlParameters, SqlValue, Statement } from '../sql/engine.ts'
import { columnsOf, keyValuesOf, type RecordColumn, type RecordKind, recordCodec } from '../sql/record-kind.ts'
import { type RecordKinds, recordKinds } from '../sql/record-kinds.ts'
import { binaryCollation, mssqlDialect } from './mssql-dialect.ts'
import type { RowSource, SourceColumn } from './row-sources.ts'

/** The table of one kind of record, as batches read and write it. */
export type RecordTable<Row, Key> = Readonly<{
  /** One row, in messages. */
  kind: string
  isAppendOnly: boolean
  columns: readonly string[]
  keyLength: number
  keyOf(of: Key): readonly SqlValue[]
  /** All columns of the row under a key, locked until the transaction ends. */
  find(key: readonly SqlValue[]): Statement
  /** Throws where the table would refuse a value. */
  encode(row: Row): readonly SqlValue[]
  decode(values: readonly SqlValue[]): Row
  /** Inserts rows of all columns. */
  insert(rows: RowSource): string
  /** Sets these columns of rows that also hold their keys. */
  update(rows: RowSource, columns: readonly string[]): string
  /** A condition: one of the keys is taken. Locks what is absent, so that it stays so. */
  anyTaken(keys: RowSource): string
  /** Columns of rows that are brought along. */
  sourceColumns(names: readonly string[]): readonly SourceColumn[]
}>

export type RecordTables = Readonly<{
  [Name in keyof RecordKinds]: RecordKinds[Name] extends RecordKind<infer Row, infer KeyName> ? RecordTable<Row, Pick<Row, KeyName>> : never
}>

export const recordTables: RecordTables = Object.fromEntries(
  Object.entries(recordKinds).map(([name, kind]) => [name, recordTable(kind as never)]),
) as RecordTables

function recordTable<Row, KeyName extends keyof Row>(kind: RecordKind<Row, KeyName>): RecordTable<Row, Pick<Row, KeyName>> {
  const { encode, decode } = recordCodec(kind)
  const columns = Object.keys(kind.columns)
  const keys = columns.slice(0, kind.key.length)
  const find = `SELECT ${columnsOf(kind)} FROM ${kind.table} ${mssqlDialect.forUpdate} WHERE ${keys.map((name) => `[${name}] = @${name}`).join(' AND ')}`
  const sameKey = (table: string): string =>
    keys
      .map((name) => `${table}.[${name}] = j.[${name}]${kind.columns[name]?.type === 'integer' ? '' : ` ${binaryCollation}`}`)
      .join(' AND ')
  return {
    kind: kind.name,
    isAppendOnly: kind.isAppendOnly ?? false,
    columns,
    keyLength: keys.length,
    keyOf: (of) => keyValuesOf(kind, of),
    find: (key) => ({ sql: find, parameters: Object.fromEntries(keys.map((name, index) => [name, key[index]])) as SqlParameters }),
    encode,
    decode,
    insert: (rows) => `INSERT INTO ${kind.table} (${columnsOf(kind)}) SELECT ${columnsOf(kind)} FROM ${rows('j')};`,
    update: (rows, changed) =>
      `UPDATE ${kind.table} SET ${changed.map((name) => `[${name}] = j.[${name}]`).join(', ')} FROM ${rows('j')} WHERE ${sameKey(kind.table)};`,
    anyTaken: (rows) => `EXISTS (SELECT 1 FROM ${rows('j')} JOIN ${kind.table} t WITH (HOLDLOCK, ROWLOCK) ON ${sameKey('t')})`,
    sourceColumns: (names) => names.map((name) => [name, typeOf(kind.columns[name], keys.includes(name))]),
  }
}

function typeOf(column: RecordColumn | undefined, isKey: boolean): string {
  if (column?.type === 'integer' || column?.type === 'boolean') return 'bigint'
  return isKey ? 'nvarchar(400)' : 'nvarchar(max)'
}
