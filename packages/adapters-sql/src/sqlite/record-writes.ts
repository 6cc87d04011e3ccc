import type { SqlValue } from '../sql/engine.ts'
import { deliveryKind } from '../webhooks/webhook-kinds.ts'
import type { RecordedRow } from './unit-records.ts'

/** A recorded row whose every value its table takes, and what it replaces. */
export type PreparedRecord = Readonly<{ recorded: RecordedRow; values: readonly SqlValue[]; before: readonly SqlValue[] | null }>

/** Throws where the table would refuse a value, and where there is nothing to update: both are defects of the work. */
export function prepareRecord(recorded: RecordedRow): PreparedRecord {
  const { table, op, key, state, row } = recorded
  const values = table.encode(row)
  if (op === 'insert') return { recorded, values, before: null }
  const before = state.before === undefined ? table.find(key) : state.before
  if (before === null) throw new Error(`${table.kind} ${key.join(' ')} cannot be updated: it does not exist`)
  return { recorded, values, before }
}

/** Whether the key of a new row is taken. What the unit found absent still is: nobody else writes to the shared transaction. */
export function isTaken({ recorded: { table, op, key, state } }: PreparedRecord): boolean {
  if (op === 'update' || state.before === null) return false
  return state.before !== undefined || table.isTaken(key)
}

export function nameOf({ recorded: { table, key } }: PreparedRecord): string {
  return `${table.kind} ${key.join(' ')}`
}

export function writeRecord({ recorded: { table }, values, before }: PreparedRecord): void {
  if (before === null) table.insert(values)
  else table.update(before, values)
}

export function isNewDelivery({ op, table }: RecordedRow): boolean {
  return op === 'insert' && table.kind === deliveryKind.name
}
