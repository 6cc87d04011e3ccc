import type { SqlRow, SqlValue } from './engine.ts'
import { parseStored } from './stored-json.ts'

/** How a value stands in its column. `boolean` is 0 or 1, `json` is text. */
export type RecordColumn = Readonly<{
  type: 'text' | 'integer' | 'boolean' | 'json'
  nullable: boolean
  /** The only texts allowed; `null` for any. */
  among: ReadonlySet<string> | null
}>

export const text: RecordColumn = { type: 'text', nullable: false, among: null }
export const integer: RecordColumn = { type: 'integer', nullable: false, among: null }
export const boolean: RecordColumn = { type: 'boolean', nullable: false, among: null }
export const json: RecordColumn = { type: 'json', nullable: false, among: null }

export function optional(column: RecordColumn): RecordColumn {
  return { ...column, nullable: true }
}

export function oneOf(values: readonly string[]): RecordColumn {
  return { ...text, among: new Set(values) }
}

/** The table of one kind of row. */
export type RecordShape = Readonly<{
  /** One row, in messages. */
  name: string
  table: string
  /** The first columns are the key's, in the order of `key`. */
  columns: Readonly<Record<string, RecordColumn>>
  key: readonly unknown[]
  /** Rows are inserted, never updated. */
  isAppendOnly?: true
}>

/** How the rows of one kind stand in their table. */
export type RecordKind<Row, KeyName extends keyof Row> = Omit<RecordShape, 'key'> &
  Readonly<{
    key: readonly KeyName[]
    /** One value for each column, in their order; JSON as its value. */
    toValues(row: Row): readonly unknown[]
    fromValues(values: readonly unknown[]): Row
  }>

export function columnsOf({ columns }: RecordShape): string {
  return Object.keys(columns)
    .map((name) => `[${name}]`)
    .join(', ')
}

export function keyValuesOf<Row, KeyName extends keyof Row>(
  { key }: RecordKind<Row, KeyName>,
  of: Pick<Row, KeyName>,
): readonly SqlValue[] {
  return key.map((name) => of[name] as SqlValue)
}

export type RecordCodec<Row> = Readonly<{
  /** Throws where the table would refuse a value: types do not hold against what came from outside. */
  encode(row: Row): readonly SqlValue[]
  decode(values: readonly (SqlValue | undefined)[]): Row
  decodeRow(row: SqlRow): Row
}>

export function recordCodec<Row, KeyName extends keyof Row>(kind: RecordKind<Row, KeyName>): RecordCodec<Row> {
  const columns = Object.entries(kind.columns)
  const names = Object.keys(kind.columns)
  const parsed = columns.flatMap(([, { type }], index) => (type === 'json' || type === 'boolean' ? [{ type, index }] : []))
  const keyLength = kind.key.length

  function decode(stored: readonly (SqlValue | undefined)[]): Row {
    const values: unknown[] = stored.slice()
    for (const { type, index } of parsed) {
      const value = stored[index]
      if (value === null) continue
      values[index] = type === 'json' ? parseStored(value, () => `${kind.name} ${stored.slice(0, keyLength).join(' ')}`) : value === 1
    }
    return kind.fromValues(values)
  }

  return {
    encode(row) {
      const values = kind.toValues(row)
      return columns.map(([name, column], index) => encodeValue(column, values[index], kind.name, name))
    },
    decode,
    decodeRow: (row) => decode(names.map((name) => row[name])),
  }
}

/** The value is left out of the errors on purpose: it may be a secret. */
function encodeValue({ type, nullable, among }: RecordColumn, value: unknown, kind: string, name: string): SqlValue {
  if (value === null && nullable) return null
  switch (type) {
    case 'text':
      if (typeof value !== 'string') throw new TypeError(`${name} of a ${kind} must be text, not ${typeof value}`)
      if (among !== null && !among.has(value)) throw new TypeError(`${name} of a ${kind} is none of ${[...among].join(', ')}`)
      return value
    case 'integer':
      if (!Number.isSafeInteger(value)) throw new TypeError(`${name} of a ${kind} must be an integer within ±(2^53 − 1)`)
      return value as number
    case 'boolean':
      if (typeof value !== 'boolean') throw new TypeError(`${name} of a ${kind} must be true or false`)
      return value ? 1 : 0
    case 'json': {
      const encoded: unknown = JSON.stringify(value)
      if (typeof encoded !== 'string') throw new TypeError(`${name} of a ${kind} must be JSON`)
      return encoded
    }
  }
}
