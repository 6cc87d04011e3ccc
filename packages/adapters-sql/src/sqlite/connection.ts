import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { SqlParameters, SqlRow, SqlValue, Statement } from '../sql/engine.ts'

/** One connection; synchronous, so that what one call to it does nothing can interleave. */
export interface Connection {
  readonly isOpen: boolean
  readonly isTransaction: boolean
  /** Text of several statements, without parameters. */
  exec(sql: string): void
  all(statement: Statement): readonly SqlRow[]
  /** Answers the number of rows changed. */
  run(statement: Statement): number
  /** For statements that run for every unit. */
  prepare(sql: string): PreparedStatement
  close(): void
}

/** Parameters by position, in the order of their first appearance in the text: naming them costs more than running most statements. */
export interface PreparedStatement {
  /** The first row as an array of its columns. */
  first(...values: readonly SqlValue[]): readonly SqlValue[] | null
  run(...values: readonly SqlValue[]): Readonly<{ changes: number | bigint; lastInsertRowid: number | bigint }>
}

type Registered = Readonly<{ statement: StatementSync; names: readonly string[]; columns: readonly string[] }>

export type ConnectionOptions = Readonly<{
  readOnly: boolean
  /** How long a lock may hold up the event loop. */
  busyTimeoutMs: number
}>

export function openConnection(path: string, { readOnly, busyTimeoutMs }: ConnectionOptions): Connection {
  const database = new DatabaseSync(path, { readOnly, timeout: busyTimeoutMs, enableForeignKeyConstraints: true })
  const registry = new Map<string, Registered>()

  function registered(sql: string): Registered {
    const found = registry.get(sql)
    if (found !== undefined) return found
    const { text, names } = positional(sql)
    const statement = database.prepare(text)
    const made = { statement, names, columns: statement.columns().map(({ name }) => name) }
    statement.setReturnArrays(true)
    registry.set(sql, made)
    return made
  }

  return {
    get isOpen() {
      return database.isOpen
    },
    get isTransaction() {
      return database.isOpen && database.isTransaction
    },
    exec: (sql) => database.exec(sql),
    all({ sql, parameters }) {
      const { statement, names, columns } = registered(sql)
      const rows = statement.all(...valuesOf(names, parameters)) as unknown as readonly (readonly SqlValue[])[]
      return rows.map((row) => namedRow(columns, row))
    },
    run({ sql, parameters }) {
      const { statement, names } = registered(sql)
      return Number(statement.run(...valuesOf(names, parameters)).changes)
    },
    prepare(sql) {
      const statement = database.prepare(positional(sql).text)
      statement.setReturnArrays(true)
      return {
        first: (...values) => (statement.get(...values) as unknown as readonly SqlValue[] | undefined) ?? null,
        run: (...values) => statement.run(...values),
      }
    },
    close: () => database.close(),
  }
}

/** The driver's own objects are dictionaries to the engine, which takes three times as long to read them. */
function namedRow(columns: readonly string[], row: readonly SqlValue[]): SqlRow {
  const named: Record<string, SqlValue> = {}
  for (let index = 0; index < columns.length; index += 1) named[columns[index] as string] = row[index] as SqlValue
  return named
}

function valuesOf(names: readonly string[], parameters: SqlParameters): SqlValue[] {
  return names.map((name) => {
    const value = parameters[name]
    if (value === undefined) throw new Error(`the parameter @${name} has no value`)
    return value
  })
}

/** Numbers the `@name` parameters of a text. */
function positional(sql: string): Readonly<{ text: string; names: readonly string[] }> {
  const names: string[] = []
  const text = sql.replaceAll(/@([a-z]\w*)/gi, (_, name: string) => {
    if (!names.includes(name)) names.push(name)
    return `?${names.indexOf(name) + 1}`
  })
  return { text, names }
}
