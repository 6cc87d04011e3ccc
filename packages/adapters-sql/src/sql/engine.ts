import type { StoreUnavailable } from '@cbp/core'
import type { ResultAsync } from 'neverthrow'

export type SqlValue = string | number | null
export type SqlParameters = Readonly<Record<string, SqlValue>>
export type SqlRow = Readonly<Record<string, SqlValue>>
export type Rows = readonly SqlRow[]

/** SQL text with `@name` parameters, and their values. */
export type Statement = Readonly<{ sql: string; parameters: SqlParameters }>

/** Inside one transaction. */
export interface SqlSession {
  /** Runs the statements in their order, as one round trip; answers the rows of each, none for a write. */
  run(statements: readonly Statement[]): Promise<readonly Rows[]>
  /** The same, and commits behind them where that saves a round trip: nothing is run after it. */
  finish(statements: readonly Statement[]): Promise<readonly Rows[]>
}

/**
 * Whether a commit must outlive a power loss. `relaxed` is for what merely repeats work when it is forgotten;
 * it outlives the end of the process all the same.
 */
export type Durability = 'full' | 'relaxed'

/** What the stores need of a database, whichever it is. */
export interface SqlEngine {
  readonly dialect: Dialect
  /** Runs the statements in order in one snapshot of committed data; `shape` makes the answer of the rows of each. One round trip. */
  read<T>(statements: readonly Statement[], shape: (results: readonly Rows[]) => T): ResultAsync<T, StoreUnavailable>
  /** One transaction of its own: all of it or nothing. `work` awaits nothing but the session and may be run again. */
  write<T>(durability: Durability, work: (session: SqlSession) => Promise<T>): ResultAsync<T, StoreUnavailable>
}

/** A `key` is a text that stands in an index. */
export type ColumnType = 'key' | 'text' | 'integer'

/** What differs between the engines; see docs/adr/0004-ports-in-t-sql.md for the other column. */
export interface Dialect {
  /** Ends a SELECT that has an ORDER BY, e.g. `LIMIT @limit`. */
  limit(parameter: string): string
  /** Ends a SELECT that has an ORDER BY with the one row after the first `parameter` ones. */
  rowAfter(parameter: string): string
  /** A JSON array of strings as a table with the columns `position` (rising) and `item`. */
  list(parameter: string): string
  /** A JSON array of objects as a table with these columns. */
  rows(parameter: string, columns: Readonly<Record<string, ColumnType>>): string
  /**
   * Drops rows that meet a condition, at most `@limit`, and answers their number as `dropped`. `null` where rows are dropped
   * one by one, because a statement is no round trip there.
   */
  readonly dropSome: ((table: string, condition: string) => string) | null
  /** Table hint: locks rows that this transaction goes on to change. */
  readonly forUpdate: string
  /** Table hint: the same, passing over rows that others hold. */
  readonly forClaim: string
}
