import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Caller } from '../kernel/caller.ts'
import type { Clock } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Page, pageOf } from '../kernel/page.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { applying, type ConsumerDefinition, type EventNotApplicable, runForEvent } from './apply-event.ts'
import type { DeadLetter, DeadLetterFilter, DeadLetterStore } from './ports/inbox.ts'
import { rateCap } from './rate-cap.ts'

export type DeadLetterNotFound = Readonly<{ kind: 'dead-letter-not-found'; id: string }>
/** It was replayed or discarded before. */
export type DeadLetterSettled = Readonly<{ kind: 'dead-letter-settled'; letter: DeadLetter }>
/** Its consumer does not run here. */
export type UnknownConsumer = Readonly<{ kind: 'unknown-consumer'; consumer: string }>
export type TooManyReplays = Readonly<{ kind: 'too-many-replays'; retryAfterMs: number }>

type NotDead = DeadLetterNotFound | DeadLetterSettled

export type ReplayError = NotDead | UnknownConsumer | TooManyReplays | EventNotApplicable | StoreUnavailable

export type DeadLetters = Readonly<{
  deadLetters: (filter: DeadLetterFilter, before: Uuid | null, limit: number) => ResultAsync<Page<DeadLetter, Uuid>, StoreUnavailable>
  deadLetter: (id: Uuid) => ResultAsync<DeadLetter, DeadLetterNotFound | StoreUnavailable>
  deadCount: () => ResultAsync<number, StoreUnavailable>
  /**
   * Applies the event once more, marked as replayed, in one unit with the letter's end. At most ten a second. When it
   * cannot be applied the letter stays dead, with the newest reason.
   */
  replayDeadLetter: (id: Uuid, caller: Caller) => ResultAsync<DeadLetter, ReplayError>
  discardDeadLetter: (id: Uuid, reason: string, caller: Caller) => ResultAsync<DeadLetter, NotDead | StoreUnavailable>
}>

export type DeadLetterDependencies = Readonly<{
  deadLetterStore: DeadLetterStore
  unitOfWork: UnitOfWork<Transaction>
  clock: Clock
  consumers: readonly ConsumerDefinition[]
}>

const replaysPerSecond = 10

/** What is done about events that were set aside. The letter's own state lets each be replayed or discarded once (L15). */
export function deadLetters(deps: DeadLetterDependencies): DeadLetters {
  const { deadLetterStore, unitOfWork, clock } = deps
  const cap = rateCap(clock, replaysPerSecond, 1000)
  return {
    deadLetters: (filter, before, limit) =>
      deadLetterStore.deadLetters(filter, before, limit + 1).map((letters) => pageOf(letters, limit, ({ id }) => id)),
    deadLetter: (id) => new ResultAsync(show(deadLetterStore, id)),
    deadCount: () => deadLetterStore.deadCount(),
    replayDeadLetter: (id, caller) => new ResultAsync(replay(deps, cap, id, caller)),
    discardDeadLetter: (id, reason, caller) =>
      unitOfWork
        .run((tx) => new ResultAsync(settle(tx, id, (letter) => ended(letter, 'discarded', reason, caller, clock))))
        .map(({ value }) => value),
  }
}

async function show(store: DeadLetterStore, id: Uuid): Promise<Result<DeadLetter, DeadLetterNotFound | StoreUnavailable>> {
  const found = await store.deadLetter(id)
  if (found.isErr()) return err(found.error)
  return found.value === null ? err({ kind: 'dead-letter-not-found', id }) : ok(found.value)
}

async function replay(
  deps: DeadLetterDependencies,
  takePlace: () => number,
  id: Uuid,
  caller: Caller,
): Promise<Result<DeadLetter, ReplayError>> {
  const { deadLetterStore, unitOfWork, clock, consumers } = deps
  const shown = await show(deadLetterStore, id)
  if (shown.isErr()) return err(shown.error)
  const { state, consumer: name, event } = shown.value
  if (state !== 'dead') return err({ kind: 'dead-letter-settled', letter: shown.value })
  const definition = consumers.find((each) => each.name === name)
  if (definition === undefined) return err({ kind: 'unknown-consumer', consumer: name })
  // Only what reaches a consumer counts: the cap is there for what stands behind it.
  const retryAfterMs = takePlace()
  if (retryAfterMs > 0) return err({ kind: 'too-many-replays', retryAfterMs })
  const replayed = await runForEvent(
    unitOfWork,
    async (tx): Promise<Result<DeadLetter, NotDead | EventNotApplicable | StoreUnavailable>> => {
      // Together, because each question may be a round trip; refused as a whole where the letter has been settled since.
      const [dead, applied] = await Promise.all([requireDead(tx, id), applying(definition, tx, { ...event, replayed: true })])
      if (dead.isErr()) return err(dead.error)
      if (applied.isErr()) return err(applied.error)
      const letter = ended(dead.value, 'replayed', null, caller, clock)
      tx.deadLetters.update(letter)
      return ok(letter)
    },
  )
  if (replayed.isOk() || replayed.error.kind !== 'event-not-applicable') return replayed
  const { reason } = replayed.error
  const noted = await runForEvent(unitOfWork, (tx) => settle(tx, id, (letter) => ({ ...letter, reason, failures: letter.failures + 1 })))
  return err(noted.isErr() ? noted.error : replayed.error)
}

async function settle(
  tx: Transaction,
  id: Uuid,
  change: (dead: DeadLetter) => DeadLetter,
): Promise<Result<DeadLetter, NotDead | StoreUnavailable>> {
  const dead = await requireDead(tx, id)
  if (dead.isErr()) return err(dead.error)
  const letter = change(dead.value)
  tx.deadLetters.update(letter)
  return ok(letter)
}

async function requireDead(tx: Transaction, id: Uuid): Promise<Result<DeadLetter, NotDead | StoreUnavailable>> {
  const found = await tx.deadLetters.find({ id })
  if (found.isErr()) return err(found.error)
  if (found.value === null) return err({ kind: 'dead-letter-not-found', id })
  return found.value.state === 'dead' ? ok(found.value) : err({ kind: 'dead-letter-settled', letter: found.value })
}

function ended(letter: DeadLetter, state: 'replayed' | 'discarded', reason: string | null, caller: Caller, clock: Clock): DeadLetter {
  return { ...letter, state, settled: { at: clock.now(), actor: caller.client, reason } }
}
