import type { SqlParameters, SqlValue } from '../sql/engine.ts'
import { openJson } from './mssql-dialect.ts'
import { toStored } from './stored-text.ts'

export type SourceColumn = readonly [name: string, type: string]

/** Rows that a batch brings along, as a table under the alias given; may be named several times. */
export type RowSource = (alias: string) => string

export type RowSources = Readonly<{
  /** Values in the order of the columns. */
  add(columns: readonly SourceColumn[], rows: readonly (readonly SqlValue[])[]): RowSource
  parameters(): SqlParameters
}>

/** A request of SQL Server takes 2100. */
const parameterLimit = 1_900
/** More rows would make too many texts, each with a plan of its own. */
const rowLimit = 100

/** Few rows come as parameters, which are typed and need no parsing; many come as JSON, so that their number has no limit. */
export function rowSources(): RowSources {
  const parameters: Record<string, SqlValue> = {}
  let count = 0

  function asParameters(columns: readonly SourceColumn[], rows: readonly (readonly SqlValue[])[]): RowSource {
    const tuples = rows.map((row) => {
      const values = columns.map(([, type], index) => {
        const name = `p${count}`
        count += 1
        parameters[name] = row[index] as SqlValue
        // Without a value a parameter has no type of its own.
        return type === 'bigint' ? `CAST(@${name} AS bigint)` : `@${name}`
      })
      return `(${values.join(', ')})`
    })
    const names = columns.map(([name]) => `[${name}]`).join(', ')
    return (alias) => `(VALUES ${tuples.join(', ')}) ${alias} (${names})`
  }

  function asJson(columns: readonly SourceColumn[], rows: readonly (readonly SqlValue[])[]): RowSource {
    const name = `j${count}`
    count += 1
    const objects = rows.map((row) => Object.fromEntries(columns.map(([column], index) => [column, stored(row[index] as SqlValue)])))
    parameters[name] = JSON.stringify(objects)
    return (alias) => `${openJson(`@${name}`, columns)} ${alias}`
  }

  return {
    add(columns, rows) {
      const isFew = rows.length <= rowLimit && count + rows.length * columns.length <= parameterLimit
      return isFew ? asParameters(columns, rows) : asJson(columns, rows)
    },
    parameters: () => parameters,
  }
}

function stored(value: SqlValue): SqlValue {
  return typeof value === 'string' ? toStored(value) : value
}
