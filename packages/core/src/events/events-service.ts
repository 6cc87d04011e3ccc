import type { ResultAsync } from 'neverthrow'
import type { Caller } from '../kernel/caller.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Page } from '../kernel/page.ts'
import type { Transaction } from '../transaction.ts'
import type { Delivery } from './ports/event-broker.ts'
import type { DeadLetter, DeadLetterFilter } from './ports/inbox.ts'
import type { Outbox } from './ports/outbox.ts'
import type { Relay } from './relay.ts'

/** The event cannot be applied, now or ever; after a few tries it is set aside as a dead letter. */
export type EventNotApplicable = Readonly<{ kind: 'event-not-applicable'; reason: string }>

/**
 * Records on `tx` what the event means. Part of the unit that advances the inbox, so that it takes effect exactly once
 * (L15); awaits nothing but `tx`, and may be run again.
 */
export type ApplyEvent = (tx: Transaction, delivery: Delivery) => ResultAsync<void, EventNotApplicable | StoreUnavailable>

/** `topics` must take whole streams (`payment.#`, `#`): what a consumer does not want, it applies as nothing. */
export type ConsumerDefinition = Readonly<{ name: string; topics: readonly string[]; apply: ApplyEvent }>

export type DeadLetterNotFound = Readonly<{ kind: 'dead-letter-not-found'; id: string }>
/** It was replayed or discarded before. */
export type DeadLetterSettled = Readonly<{ kind: 'dead-letter-settled'; letter: DeadLetter }>
/** Its consumer does not run here. */
export type UnknownConsumer = Readonly<{ kind: 'unknown-consumer'; consumer: string }>
export type TooManyReplays = Readonly<{ kind: 'too-many-replays'; retryAfterMs: number }>

/** Counts since the start of this process. */
export type ConsumerCounts = Readonly<{ applied: number; duplicates: number; failures: number; dead: number }>

export type EventsService = Readonly<
  Pick<Outbox, 'backlog' | 'stream' | 'streams' | 'unblock'> & {
    relayCounts: Relay['counts']
    /** Background work of an instance: publishes what is committed. Runs until cancelled. */
    relay: Relay['run']
    consumerCounts: () => ReadonlyMap<string, ConsumerCounts>
    deadLetters: (filter: DeadLetterFilter, before: Uuid | null, limit: number) => ResultAsync<Page<DeadLetter, Uuid>, StoreUnavailable>
    deadLetter: (id: Uuid) => ResultAsync<DeadLetter, DeadLetterNotFound | StoreUnavailable>
    deadCount: () => ResultAsync<number, StoreUnavailable>
    /** Applies the event once more, marked as replayed, in one unit with the letter's end. At most ten a second. */
    replayDeadLetter: (
      id: Uuid,
      caller: Caller,
    ) => ResultAsync<
      DeadLetter,
      DeadLetterNotFound | DeadLetterSettled | UnknownConsumer | TooManyReplays | EventNotApplicable | StoreUnavailable
    >
    discardDeadLetter: (
      id: Uuid,
      reason: string,
      caller: Caller,
    ) => ResultAsync<DeadLetter, DeadLetterNotFound | DeadLetterSettled | StoreUnavailable>
  }
>
