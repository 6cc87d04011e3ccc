import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import { fullJitterMs, type Random } from '../kernel/random.ts'
import { survivingDefects } from '../kernel/survive-defects.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { applying, type ConsumerDefinition, type EventNotApplicable, runForEvent } from './apply-event.ts'
import type { Sequence, SequencedEvent } from './event.ts'
import { failureReason } from './failure-reason.ts'
import type { Delivery, EventConsumer, EventRefused } from './ports/event-broker.ts'
import type { DeadLetter, InboxPosition } from './ports/inbox.ts'
import type { Outbox } from './ports/outbox.ts'

export type ConsumerDependencies = Readonly<{
  unitOfWork: UnitOfWork<Transaction>
  outbox: Pick<Outbox, 'pending'>
  ids: IdSource
  clock: Clock
  random: Random
  log: Log
}>

/** Counts since the start of this process. */
export type ConsumerCounts = Readonly<{ applied: number; duplicates: number; failures: number; dead: number }>

export type Consumer = Required<EventConsumer> & Readonly<{ counts: () => ConsumerCounts }>

/** The relay blocks a stream at the 8th refusal of one event: four of our own leave room for others' reasons. */
const triesPerEvent = 5
const repairPage = 64
/** Half of what the relay waits for a confirm: a longer repair goes on at the next delivery. */
const repairMs = 5_000
const retryBackoff = { baseMs: 100, capMs: 1_000 }

type Machine = Readonly<{
  deps: ConsumerDependencies
  definition: ConsumerDefinition
  counts: { -readonly [Name in keyof ConsumerCounts]: number }
}>

type Outcome =
  /** Applied, now or before, or set aside. */
  | Readonly<{ kind: 'done' }>
  /** Events between `after` and this one have not been applied yet. */
  | Readonly<{ kind: 'gap'; after: Sequence }>
  /** Could not be applied; this try counts. */
  | Readonly<{ kind: 'failed'; reason: string }>
  /** Nothing is known against the event. */
  | Readonly<{ kind: 'away'; reason: string }>

const done: Outcome = { kind: 'done' }

/**
 * A deduplicating consumer (L15): applies each event of a stream exactly once and in order, whatever the broker repeats,
 * reorders or leaves out. The event and the advance of the inbox are one unit; what is missing before an event is read
 * from the outbox, which is the truth, and applied first. An event that fails five times becomes a dead letter, and its
 * stream goes on.
 *
 * A delivery that is marked as replayed is held against the position like any other: no way through the broker applies
 * an event twice. Dead letters are replayed past the position, under a guard of their own.
 */
export function consumer(deps: ConsumerDependencies, definition: ConsumerDefinition): Consumer {
  const { name, topics } = definition
  const machine: Machine = { deps, definition, counts: { applied: 0, duplicates: 0, failures: 0, dead: 0 } }
  return {
    name,
    topics,
    counts: () => ({ ...machine.counts }),
    handle: (delivery) => new ResultAsync(take(machine, delivery, () => applyOnce(machine, delivery))),
    setAside: (delivery, reason) => new ResultAsync(take(machine, delivery, () => setAsideOnce(machine, delivery, reason))),
  }
}

/** Does what is to be done with the event when all before it in its stream are done. */
async function take(machine: Machine, delivery: Delivery, once: () => Promise<Outcome>): Promise<Result<void, EventRefused>> {
  const givesUpAt = machine.deps.clock.now() + repairMs
  for (;;) {
    const outcome = await once()
    if (outcome.kind === 'done') return ok()
    if (outcome.kind === 'away') return putOff(outcome.reason)
    if (outcome.kind === 'failed') return refused(outcome.reason)
    const failure = await applyMissing(machine, delivery, outcome.after, givesUpAt)
    if (failure !== null) return putOff(failure)
  }
}

function refused(reason: string): Result<never, EventRefused> {
  return err({ kind: 'event-refused', reason })
}

/** A store that is away, or a long way to catch up, says nothing against the event. */
function putOff(reason: string): Result<never, EventRefused> {
  return err({ kind: 'event-refused', reason, isPutOff: true })
}

/** Applies the next page of what is missing before `delivery`; answers why that ended early, or `null`. */
async function applyMissing(machine: Machine, delivery: Delivery, after: Sequence, givesUpAt: number): Promise<string | null> {
  const { outbox, log } = machine.deps
  const { stream } = delivery
  const limit = Math.min(repairPage, delivery.sequence - after - 1)
  const read = await survivingDefects(
    log,
    () => outbox.pending([{ stream, after }], limit),
    (reason) => ({ reason }),
  )
  if (read.isErr()) return read.error.reason
  if (read.value[0]?.sequence !== after + 1) return `event ${after + 1} has not arrived and the outbox does not hold it`
  for (const event of read.value) {
    const failure = await applyMissingEvent(machine, event, givesUpAt)
    if (failure !== null) return failure
  }
  return null
}

/**
 * Nobody brings a missing event again, so it is tried again here: were its failures refusals of the event that came, a
 * few bad events in one gap would block the stream.
 */
async function applyMissingEvent(machine: Machine, event: SequencedEvent, givesUpAt: number): Promise<string | null> {
  const { clock, random } = machine.deps
  for (let attempt = 1; ; attempt += 1) {
    if (clock.now() >= givesUpAt) return `behind: event ${event.sequence} and those after it are still to be applied`
    const outcome = await applyOnce(machine, { ...event, replayed: false })
    if (outcome.kind === 'done') return null
    if (outcome.kind === 'away') return outcome.reason
    if (outcome.kind === 'gap') return `the position went back to ${outcome.after}`
    await clock.sleep(fullJitterMs(random, attempt, retryBackoff.baseMs, retryBackoff.capMs))
  }
}

async function applyOnce(machine: Machine, delivery: Delivery): Promise<Outcome> {
  const { deps, definition, counts } = machine
  const applied = await runForEvent(deps.unitOfWork, (tx) => recordNext(tx, definition, delivery))
  if (applied.isOk()) {
    counts.applied += 1
    return done
  }
  const refusal = applied.error
  switch (refusal.kind) {
    case 'duplicate':
      counts.duplicates += 1
      return done
    case 'gap':
      return refusal
    case 'store-unavailable':
      return { kind: 'away', reason: refusal.reason }
    case 'event-not-applicable':
      return countFailure(machine, delivery, refusal.reason)
  }
}

/** The event is not the next one: refuses the unit, and with it what was recorded of the event. */
type NotNext = Readonly<{ kind: 'duplicate' }> | Extract<Outcome, { kind: 'gap' }>

/** Applies the event while it still asks for the position, because each question may be a round trip. */
async function recordNext(
  tx: Transaction,
  definition: ConsumerDefinition,
  delivery: Delivery,
): Promise<Result<void, NotNext | EventNotApplicable | StoreUnavailable>> {
  const { stream, sequence } = delivery
  const [found, applied] = await Promise.all([tx.inbox.find({ consumer: definition.name, stream }), applying(definition, tx, delivery)])
  if (found.isErr()) return err(found.error)
  const after = found.value?.sequence ?? 0
  if (sequence <= after) return err({ kind: 'duplicate' })
  if (sequence > after + 1) return err({ kind: 'gap', after })
  if (applied.isErr()) return err(applied.error)
  savePosition(tx, found.value, { consumer: definition.name, stream, sequence, failures: 0 })
  return ok()
}

function savePosition(tx: Transaction, before: InboxPosition | null, position: InboxPosition): void {
  if (before === null) tx.inbox.insert(position)
  else tx.inbox.update(position)
}

/** The try counts in a unit of its own, for the one that failed has left nothing. */
async function countFailure(machine: Machine, delivery: Delivery, reason: string): Promise<Outcome> {
  const { deps, counts } = machine
  const counted = await runForEvent(deps.unitOfWork, (tx) => recordFailure(tx, machine, delivery, reason))
  if (counted.isErr()) return { kind: 'away', reason: counted.error.reason }
  // Others have dealt with it meanwhile, or it came early.
  if ('kind' in counted.value) return counted.value
  const { failures, letter } = counted.value
  counts.failures += 1
  if (letter !== null) return noteDead(machine, letter)
  const { id, stream, sequence } = delivery
  const ids = { consumer: machine.definition.name, stream, sequence, event: id, failures }
  deps.log.write('warn', 'a consumer could not apply an event; it will be tried again', ids)
  return { kind: 'failed', reason }
}

function noteDead({ deps, counts }: Machine, { id: deadLetter, consumer: name, event, failures }: DeadLetter): Outcome {
  const { id, stream, sequence } = event
  const fields = { consumer: name, stream, sequence, event: id, failures, deadLetter }
  counts.dead += 1
  deps.log.write('error', 'an event is set aside as a dead letter', fields)
  return done
}

async function recordFailure(
  tx: Transaction,
  machine: Machine,
  delivery: Delivery,
  reason: string,
): Promise<Result<Readonly<{ failures: number; letter: DeadLetter | null }> | Outcome, StoreUnavailable>> {
  const at = { consumer: machine.definition.name, stream: delivery.stream }
  const found = await tx.inbox.find(at)
  if (found.isErr()) return err(found.error)
  const after = found.value?.sequence ?? 0
  if (delivery.sequence <= after) return ok(done)
  if (delivery.sequence > after + 1) return ok({ kind: 'gap', after })
  const failures = (found.value?.failures ?? 0) + 1
  if (failures < triesPerEvent) {
    savePosition(tx, found.value, { ...at, sequence: after, failures })
    return ok({ failures, letter: null })
  }
  return ok({ failures, letter: recordDead(tx, machine, found.value, delivery, reason) })
}

/** The event becomes a dead letter, and the position moves past it. */
function recordDead(tx: Transaction, machine: Machine, before: InboxPosition | null, delivery: Delivery, reason: string): DeadLetter {
  const { deps, definition } = machine
  const { id, stream, sequence, event, occurredAt, traceparent } = delivery
  const letter: DeadLetter = {
    id: deps.ids.next(),
    consumer: definition.name,
    event: { id, stream, sequence, event, occurredAt, traceparent },
    reason,
    failures: (before?.failures ?? 0) + 1,
    deadAt: deps.clock.now(),
    state: 'dead',
    settled: null,
  }
  tx.deadLetters.insert(letter)
  savePosition(tx, before, { consumer: definition.name, stream, sequence, failures: 0 })
  return letter
}

async function setAsideOnce(machine: Machine, delivery: Delivery, reason: string): Promise<Outcome> {
  const set = await runForEvent(machine.deps.unitOfWork, (tx) => recordGivenUp(tx, machine, delivery, reason))
  if (set.isErr()) return { kind: 'away', reason: set.error.reason }
  return 'kind' in set.value ? set.value : noteDead(machine, set.value)
}

async function recordGivenUp(
  tx: Transaction,
  machine: Machine,
  delivery: Delivery,
  reason: string,
): Promise<Result<DeadLetter | Outcome, StoreUnavailable>> {
  const { stream, sequence } = delivery
  const found = await tx.inbox.find({ consumer: machine.definition.name, stream })
  if (found.isErr()) return err(found.error)
  const after = found.value?.sequence ?? 0
  if (sequence <= after) return ok(done)
  if (sequence > after + 1) return ok({ kind: 'gap', after })
  return ok(recordDead(tx, machine, found.value, delivery, failureReason(reason)))
}
