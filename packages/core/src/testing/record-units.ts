import fc from 'fast-check'
import { err, ok, okAsync, type Result, type ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import { propertySeed } from '../kernel/testing/property.ts'
import type { AttemptFailure, Committed } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import type { RowKind } from './record-kinds.ts'
import { expectOk, type StoreHarness } from './store-units.ts'

export type Work<T, E> = (tx: Transaction) => ResultAsync<T, E>

export function keyOf<Row, KeyName extends keyof Row>({ keyNames }: RowKind<Row, KeyName>, row: Row): Pick<Row, KeyName> {
  return Object.fromEntries(keyNames.map((name) => [name, row[name]])) as Pick<Row, KeyName>
}

/** Rows of which no two have one key. */
export function apart<Row, KeyName extends keyof Row>(
  kind: RowKind<Row, KeyName>,
  minLength: number,
  maxLength: number = minLength,
): fc.Arbitrary<readonly Row[]> {
  return fc.uniqueArray(kind.rows, { minLength, maxLength, selector: (row) => JSON.stringify(kind.keyNames.map((name) => row[name])) })
}

/** Different rows, all under the key of the first. */
export function alike<Row, KeyName extends keyof Row>(
  kind: RowKind<Row, KeyName>,
  minLength: number,
  maxLength: number = minLength,
): fc.Arbitrary<readonly Row[]> {
  return fc
    .array(kind.rows, { minLength, maxLength })
    .map((rows) => rows.map((row) => ({ ...row, ...keyOf(kind, rows[0] as Row) })))
    .filter((rows) => new Set(rows.map((row) => JSON.stringify(row))).size === rows.length)
}

export function sample<T>(rows: fc.Arbitrary<T>): T {
  return fc.sample(rows, { numRuns: 1, seed: propertySeed() })[0] as T
}

export function attempt<T, E>(store: StoreHarness, ids: IdSource, work: Work<T, E>): ResultAsync<Committed<T>, E | AttemptFailure> {
  return store.transactions.attempt(ids.next(), work)
}

export async function insert<Row, KeyName extends keyof Row>(
  store: StoreHarness,
  ids: IdSource,
  kind: RowKind<Row, KeyName>,
  ...rows: readonly Row[]
): Promise<void> {
  await expectOk(
    attempt(store, ids, (tx) => {
      for (const row of rows) kind.of(tx).insert(row)
      return okAsync(null)
    }),
  )
}

export async function held<Row, KeyName extends keyof Row>(
  store: StoreHarness,
  ids: IdSource,
  kind: RowKind<Row, KeyName>,
  row: Row,
): Promise<Row | null> {
  return (await expectOk(attempt(store, ids, (tx) => kind.of(tx).find(keyOf(kind, row))))).value
}

/** Reads what is there, puts `row` in its place, and answers what was there. */
export async function replace<Row, KeyName extends keyof Row>(
  tx: Transaction,
  kind: RowKind<Row, KeyName>,
  row: Row,
): Promise<Result<Row | null, StoreUnavailable>> {
  const records = kind.of(tx)
  const found = await records.find(keyOf(kind, row))
  if (found.isErr()) return err(found.error)
  if (found.value === null) records.insert(row)
  else records.update(row)
  return ok(found.value)
}

export function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(sorted(left)) === JSON.stringify(sorted(right))
}

/** With its members in one order, whatever order a store answers them in. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, member]) => [name, sorted(member)])
}
