import { ok, ResultAsync } from 'neverthrow'
import { type Clock, timestamp } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { JsonObject } from '../kernel/json.ts'
import { maskFields } from '../kernel/masking.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import type { Severity, Stream } from './event.ts'

/** Something about the service that grows worse step by step, such as a certificate that comes to its end. */
export type SteppedAlert = Readonly<{
  /** What it is about, for ever: at most 100 characters, no personal data. */
  condition: string
  /** 1, 2, 3 …; a step is told once, and none that comes before it is told after it. */
  step: number
  component: string
  severity: Severity
  details: JsonObject
}>

/** Publishes a SYSTEM_ALERT unless this step, or a later one, was told before by any instance; answers whether it did. */
export type AlertOnce = (alert: SteppedAlert) => ResultAsync<boolean, StoreUnavailable>

type Dependencies = Readonly<{ unitOfWork: UnitOfWork<Transaction>; ids: IdSource; clock: Clock }>

/** A place of its own among the positions of consumers: how far the condition has been told. */
const teller = 'alerts'

export function alertOnce({ unitOfWork, ids, clock }: Dependencies): AlertOnce {
  return ({ condition, step, component, severity, details }) => {
    const record = async (tx: Transaction): Promise<Awaited<ReturnType<AlertOnce>>> => {
      const key = { consumer: teller, stream: condition as Stream }
      const told = await tx.inbox.find(key)
      if (told.isErr()) return told.map(() => false)
      if (told.value !== null && told.value.sequence >= step) return ok(false)
      const now = clock.now()
      const position = { ...key, sequence: step, failures: 0 }
      if (told.value === null) tx.inbox.insert(position)
      else tx.inbox.update(position)
      tx.outbox.append({
        id: ids.next(),
        stream: 'system' as Stream,
        event: { type: 'SYSTEM_ALERT', payload: { component, details: maskFields(details), severity, timestamp: timestamp(now) } },
        occurredAt: now,
        traceparent: null,
      })
      return ok(true)
    }
    return unitOfWork.run((tx) => new ResultAsync(record(tx))).map(({ value }) => value)
  }
}
