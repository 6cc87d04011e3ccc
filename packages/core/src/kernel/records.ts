import type { ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from './failures.ts'

/**
 * Rows of one kind inside a unit of work, each under a key that is unique for ever.
 *
 * What `find` answered stays as read until the unit ends, or the unit is contended; absence too. So a row that another
 * unit inserts in between is met as contention, and the unit, run again, finds it: the unique index decides.
 * Each row is recorded at most once in a unit.
 */
export interface Records<Row, KeyName extends keyof Row> {
  find(key: Readonly<Pick<Row, KeyName>>): ResultAsync<Row | null, StoreUnavailable>
  /** Records a new row. A key already taken makes the unit contended. */
  insert(row: Row): void
  /** Records the new state of a row that this unit has found. */
  update(row: Row): void
}
