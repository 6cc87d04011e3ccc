import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { defectReason, failureReason } from './failure-reason.ts'
import type { Delivery } from './ports/event-broker.ts'

/** The event cannot be applied, now or ever; after a few tries it is set aside as a dead letter. */
export type EventNotApplicable = Readonly<{ kind: 'event-not-applicable'; reason: string }>

/**
 * Records on `tx` what the event means. Part of the unit that advances the inbox, so that it takes effect exactly once
 * (L15); awaits nothing but `tx`, and may be run again.
 */
export type ApplyEvent = (tx: Transaction, delivery: Delivery) => ResultAsync<void, EventNotApplicable | StoreUnavailable>

/** `topics` must take whole streams (`payment.#`, `#`): what a consumer does not want, it applies as nothing. */
export type ConsumerDefinition = Readonly<{ name: string; topics: readonly string[]; apply: ApplyEvent }>

/** Carries out `apply` inside a unit; what it throws makes the event not applicable, like what it answers. */
export async function applying(
  { apply }: ConsumerDefinition,
  tx: Transaction,
  delivery: Delivery,
): Promise<Result<void, EventNotApplicable | StoreUnavailable>> {
  try {
    const applied = await apply(tx, delivery)
    if (applied.isOk() || applied.error.kind === 'store-unavailable') return applied
    return err({ kind: 'event-not-applicable', reason: failureReason(applied.error.reason) })
  } catch (defect) {
    return err({ kind: 'event-not-applicable', reason: defectReason(defect) })
  }
}

/**
 * Runs a unit around an event. What the store throws, such as for a row that was recorded wrongly, is this event's too:
 * it must not end the loop behind it.
 */
export async function runForEvent<T, E>(
  unitOfWork: UnitOfWork<Transaction>,
  work: (tx: Transaction) => Promise<Result<T, E>>,
): Promise<Result<T, E | EventNotApplicable | StoreUnavailable>> {
  try {
    const committed = await unitOfWork.run((tx) => new ResultAsync(work(tx)))
    return committed.isOk() ? ok(committed.value.value) : err(committed.error)
  } catch (defect) {
    return err({ kind: 'event-not-applicable', reason: defectReason(defect) })
  }
}
