import { paymentKind } from '../payments/payment-kinds.ts'
import type { SqlValue } from '../sql/engine.ts'
import { hourOf } from '../sql/hour-of.ts'
import type { Connection } from './connection.ts'

/**
 * How many payments there are of each status, and which ids were created in which hour: noted with every payment that is
 * written, added up once for each batch. As triggers they cost as much as all that is written for a payment.
 */
export type PaymentTallies = Readonly<{
  written(before: readonly SqlValue[] | null, after: readonly SqlValue[]): void
  /** The batch was rolled back. */
  forget(): void
  /** Writes what has been noted; at the end of a batch. */
  save(): void
}>

type Ids = { first: string; last: string }

const columns = Object.keys(paymentKind.columns)
const [idColumn, statusColumn, createdColumn] = ['id', 'status', 'created_at'].map((name) => columns.indexOf(name)) as [
  number,
  number,
  number,
]

export function paymentTallies(connection: Connection): PaymentTallies {
  const addTotal = connection.prepare(`INSERT INTO payment_totals (status, payments) VALUES (@status, @added)
    ON CONFLICT (status) DO UPDATE SET payments = payments + excluded.payments`)
  const widenHour = connection.prepare(`INSERT INTO payment_hours ([hour], first_id, last_id) VALUES (@hour, @first, @last)
    ON CONFLICT ([hour]) DO UPDATE SET first_id = min(first_id, excluded.first_id), last_id = max(last_id, excluded.last_id)`)
  const added = new Map<string, number>()
  const hours = new Map<number, Ids>()

  function add(status: string, payments: number): void {
    added.set(status, (added.get(status) ?? 0) + payments)
  }

  function widen(hour: number, id: string): void {
    const ids = hours.get(hour)
    if (ids === undefined) hours.set(hour, { first: id, last: id })
    else if (id < ids.first) ids.first = id
    else if (id > ids.last) ids.last = id
  }

  function forget(): void {
    added.clear()
    hours.clear()
  }

  return {
    written(before, after) {
      if (before !== null) add(before[statusColumn] as string, -1)
      add(after[statusColumn] as string, 1)
      if (before?.[createdColumn] !== after[createdColumn]) widen(hourOf(after[createdColumn] as number), after[idColumn] as string)
    },
    forget,
    save() {
      for (const [status, payments] of added) if (payments !== 0) addTotal.run(status, payments)
      for (const [hour, { first, last }] of hours) widenHour.run(hour, first, last)
      forget()
    },
  }
}
