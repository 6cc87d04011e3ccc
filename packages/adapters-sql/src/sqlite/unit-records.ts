import type { Records, StoreUnavailable } from '@cbp/core'
import type { ResultAsync } from 'neverthrow'
import type { SqlValue } from '../sql/engine.ts'
import type { RecordTable } from './record-tables.ts'

/** What a unit knows of the row under one key; `undefined` where it has not looked. */
export type RowState = { before: readonly SqlValue[] | null | undefined; isRecorded: boolean }

/** A row that a unit has recorded, not yet checked. */
export type RecordedRow = Readonly<{
  table: RecordTable<unknown, unknown>
  op: 'insert' | 'update'
  key: readonly SqlValue[]
  state: RowState
  row: unknown
}>

type Recorded = Readonly<{ rows: Map<string, RowState>; records: RecordedRow[] }>

type Read = <T>(find: () => T) => ResultAsync<T, StoreUnavailable>

type RecordsOf = <Row, KeyName extends keyof Row>(table: RecordTable<Row, Pick<Row, KeyName>>) => Records<Row, KeyName>

/** Finds rows in the shared transaction, and notes what is to be written of them. */
export function unitRecords<Recording extends Recorded>(
  recording: Recording,
  read: Read,
  requireOpen: (recording: Recording) => void,
): RecordsOf {
  return <Row, KeyName extends keyof Row>(table: RecordTable<Row, Pick<Row, KeyName>>): Records<Row, KeyName> => {
    function record(op: RecordedRow['op'], row: Row): void {
      requireOpen(recording)
      const key = table.keyOf(row)
      const state = stateOf(recording.rows, table.kind, key)
      if (op === 'update' && table.isAppendOnly) throw new Error(`${table.kind} ${key.join(' ')} cannot be updated: it is kept as it is`)
      if (state.isRecorded) throw new Error(`${table.kind} ${key.join(' ')} is recorded twice in one unit`)
      state.isRecorded = true
      recording.records.push({ table: table as RecordTable<unknown, unknown>, op, key, state, row })
    }
    return {
      find: (of) =>
        read(() => {
          const key = table.keyOf(of)
          const found = table.find(key)
          stateOf(recording.rows, table.kind, key).before = found
          return found === null ? null : table.decode(found)
        }),
      insert: (row) => record('insert', row),
      update: (row) => record('update', row),
    }
  }
}

function stateOf(rows: Map<string, RowState>, kind: string, key: readonly SqlValue[]): RowState {
  let name = kind
  // A separator could stand in a key itself.
  for (const value of key) name += ` ${String(value).length} ${value}`
  let state = rows.get(name)
  if (state === undefined) {
    state = { before: undefined, isRecorded: false }
    rows.set(name, state)
  }
  return state
}
