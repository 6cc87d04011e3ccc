import type { CancelSignal } from '../kernel/cancel.ts'
import type { Clock, Instant } from '../kernel/clock.ts'
import { coalesce } from '../kernel/coalesce.ts'
import { deadlines } from '../kernel/deadlines.ts'
import type { Log } from '../kernel/log.ts'
import { fullJitterMs, type Random } from '../kernel/random.ts'
import type { Signals } from '../kernel/signals.ts'
import { noteDefect, survivingStore } from '../kernel/survive-defects.ts'
import { type Wake, wakeable } from '../kernel/wake.ts'
import type { Sequence, SequencedEvent, Stream } from './event.ts'
import type { BrokerUnavailable, EventBroker, EventRefused } from './ports/event-broker.ts'
import type { LeasedStream, Outbox, RelayReport, StreamLease } from './ports/outbox.ts'

export type RelayDependencies = Readonly<{
  outbox: Outbox
  broker: EventBroker
  clock: Clock
  random: Random
  signals: Signals
  log: Log
  /** Distinguishes this relay in the lease table. */
  owner: string
  /** Read before each round of leases, so that a change is live. */
  leaseMs: () => Promise<number>
  limits: RelayLimits
}>

export type RelayLimits = Readonly<{
  /** Streams in hand at a time. */
  streams: number
  /** Events of one stream read at a time. */
  page: number
}>

/** What the relay has done since it was made. */
export type RelayCounts = Readonly<{ confirmed: number; refused: number; blocked: number; pauses: number; lostLeases: number }>

export interface Relay {
  /** Carries events from the outbox to the broker until cancelled, then gives its leases back; one run at a time. */
  run(cancel: CancelSignal): Promise<void>
  counts(): RelayCounts
}

const pollMs = 500
const publishDeadlineMs = 10_000
/** How long the confirmations of a stream in hand are gathered; a relay that crashes repeats no more than those. */
const gatherMs = 100
/** After so many refusals of one event its stream is blocked until an operator unblocks it. */
const refusalLimit = 8
const refusalBackoff = { baseMs: 200, capMs: 60_000 }
const putOffBackoff = { baseMs: 50, capMs: 2_000 }
const pauseBackoff = { baseMs: 100, capMs: 5_000 }

/** One stream in the hands of this relay. */
type Lane = StreamLease & {
  refusals: number
  confirmed: Sequence
  /** By this relay's own clock, from before the lease was asked for. */
  expiresAt: Instant
  lost: boolean
  /** Its lease is being given back; it is neither renewed nor missed. */
  ending: boolean
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

type State = {
  lanes: Map<Stream, Lane>
  /** Lanes with confirmations that the store does not know of yet. */
  unrecorded: Set<Lane>
  isGathering: boolean
  counts: Mutable<RelayCounts>
  leaseMs: number
  /** Consecutive failures of the broker. */
  failures: number
  pausedUntil: Instant
}

type Machine = Readonly<{
  deps: RelayDependencies
  state: State
  cancel: CancelSignal
  wake: Wake
  publish: (event: SequencedEvent) => Promise<BrokerUnavailable | EventRefused | null>
  report: (report: RelayReport) => Promise<void>
  fetch: (after: Readonly<{ stream: Stream; after: Sequence }>) => Promise<readonly SequencedEvent[]>
}>

/** Stream by stream, one event in flight on each: L12, L13, L14. */
export function relay(given: RelayDependencies): Relay {
  const deps: RelayDependencies = { ...given, outbox: survivingStore(given.log, given.outbox) }
  const state: State = {
    lanes: new Map(),
    unrecorded: new Set(),
    isGathering: false,
    counts: { confirmed: 0, refused: 0, blocked: 0, pauses: 0, lostLeases: 0 },
    leaseMs: 0,
    failures: 0,
    pausedUntil: 0,
  }
  return {
    counts: () => ({ ...state.counts }),
    async run(cancel) {
      const machine = assemble(deps, state, cancel)
      const stopListening = deps.signals.listen('events', machine.wake.wake)
      const renewing = renewLeases(machine)
      const draining = new Set<Promise<void>>()
      while (!cancel.aborted) {
        const pauseMs = state.pausedUntil - deps.clock.now()
        if (pauseMs > 0) await deps.clock.sleep(pauseMs, cancel)
        else if (!(await takeStreams(machine, draining))) await machine.wake.wait(pollMs)
      }
      stopListening()
      await Promise.all([...draining, renewing])
    },
  }
}

function assemble(deps: RelayDependencies, state: State, cancel: CancelSignal): Machine {
  const withDeadline = deadlines(deps.clock, publishDeadlineMs)
  return {
    deps,
    state,
    cancel,
    wake: wakeable(deps.clock, cancel),
    publish: (event) => {
      const before = state.counts.confirmed
      return withDeadline(publishOnce(deps, event), () => noConfirm(state.counts.confirmed > before))
    },
    report: coalesce((reports: readonly RelayReport[]) => record(deps, state, reports)),
    fetch: fetchTogether(deps.outbox, deps.limits.page),
  }
}

async function publishOnce({ broker, log }: RelayDependencies, event: SequencedEvent): Promise<BrokerUnavailable | EventRefused | null> {
  try {
    const published = await broker.publish(event)
    return published.isOk() ? null : published.error
  } catch (defect) {
    return refusedByDefect(noteDefect(log, defect))
  }
}

function refusedByDefect(reason: string): EventRefused {
  return { kind: 'event-refused', reason }
}

/** While others are confirmed it is not the broker that is lost: the silence is this event's own. */
function noConfirm(othersAreConfirmed: boolean): BrokerUnavailable | EventRefused {
  return { kind: othersAreConfirmed ? 'event-refused' : 'broker-unavailable', reason: `no confirm within ${publishDeadlineMs} ms` }
}

/** Leases what there is; answers whether to look again at once. */
async function takeStreams(machine: Machine, draining: Set<Promise<void>>): Promise<boolean> {
  const { deps, state } = machine
  const limit = deps.limits.streams - state.lanes.size
  if (limit <= 0) return false
  state.leaseMs = await deps.leaseMs()
  const askedAt = deps.clock.now()
  const leased = await deps.outbox.lease({ owner: deps.owner, limit, leaseMs: state.leaseMs, eventLimit: deps.limits.page })
  if (leased.isErr()) return false
  for (const stream of leased.value) {
    const lane = openLane(stream, askedAt + state.leaseMs)
    state.lanes.set(lane.stream, lane)
    const drained = drain(machine, lane, stream.events).then(() => {
      if (state.lanes.get(lane.stream) === lane) state.lanes.delete(lane.stream)
      draining.delete(drained)
      // A writer may have added to the stream since it was found empty, and others may be waiting for its place.
      machine.wake.wake()
    })
    draining.add(drained)
  }
  return leased.value.length === limit
}

function openLane({ stream, fence, refusals, events }: LeasedStream, expiresAt: Instant): Lane {
  const confirmed = (events[0]?.sequence ?? 1) - 1
  return { stream, fence, refusals, confirmed, expiresAt, lost: false, ending: false }
}

/** Publishes a stream's backlog in order until it is empty, refused, lost or told to stop. */
async function drain(machine: Machine, lane: Lane, leased: readonly SequencedEvent[]): Promise<void> {
  const { stream } = lane
  for (let events = leased; events.length > 0; events = await machine.fetch({ stream, after: lane.confirmed })) {
    for (const event of events) {
      if (mustStop(machine, lane)) return giveBack(machine, lane)
      const failure = await publishUntilJudged(machine, lane, event)
      if (failure === 'stopped') return giveBack(machine, lane)
      if (failure?.kind === 'broker-unavailable') {
        pause(machine, failure.reason)
        return giveBack(machine, lane)
      }
      if (failure?.kind === 'event-refused') return refuse(machine, lane, event, failure.reason)
      noteConfirmed(machine, lane, event.sequence)
    }
  }
  return giveBack(machine, lane)
}

/** A consumer that puts an event off is asked again in place, with growing pauses, and nothing is charged with it. */
async function publishUntilJudged(
  machine: Machine,
  lane: Lane,
  event: SequencedEvent,
): Promise<BrokerUnavailable | EventRefused | 'stopped' | null> {
  const { deps, cancel } = machine
  for (let attempt = 1; ; attempt += 1) {
    const failure = await machine.publish(event)
    if (failure?.kind !== 'event-refused' || failure.isPutOff !== true) return failure
    await deps.clock.sleep(fullJitterMs(deps.random, attempt, putOffBackoff.baseMs, putOffBackoff.capMs) + 1, cancel)
    if (mustStop(machine, lane)) return 'stopped'
  }
}

function mustStop({ deps, state, cancel }: Machine, lane: Lane): boolean {
  const now = deps.clock.now()
  return cancel.aborted || lane.lost || now >= lane.expiresAt || now < state.pausedUntil
}

/** Not recorded at once: the next event goes out meanwhile, and its confirmation says the same and more. */
function noteConfirmed(machine: Machine, lane: Lane, sequence: Sequence): void {
  const { state } = machine
  lane.confirmed = sequence
  lane.refusals = 0
  state.failures = 0
  state.counts.confirmed += 1
  state.unrecorded.add(lane)
  if (!state.isGathering) void recordGathered(machine)
}

async function recordGathered({ deps, state, report, cancel }: Machine): Promise<void> {
  state.isGathering = true
  while (state.unrecorded.size > 0) {
    await deps.clock.sleep(gatherMs, cancel)
    const lanes = [...state.unrecorded]
    state.unrecorded.clear()
    await Promise.all(lanes.map((lane) => report(confirmationOf(lane))))
  }
  state.isGathering = false
}

function confirmationOf({ stream, fence, confirmed: through }: Lane): RelayReport {
  return { stream, fence, kind: 'confirmed', through }
}

type WithoutLease<Report> = Report extends unknown ? Omit<Report, keyof StreamLease> : never
type Ending = Exclude<WithoutLease<RelayReport>, { kind: 'confirmed' }>

/** The lease ends with this report, before which everything confirmed is recorded. */
async function end({ state, report }: Machine, lane: Lane, ending: Ending): Promise<void> {
  const { stream, fence } = lane
  lane.ending = true
  if (state.unrecorded.delete(lane)) void report(confirmationOf(lane))
  await report({ stream, fence, ...ending })
}

function giveBack(machine: Machine, lane: Lane): Promise<void> {
  return end(machine, lane, { kind: 'released' })
}

/** A lost broker is nobody's fault: the relay waits, and no event is charged with it. */
function pause({ deps, state }: Machine, reason: string): void {
  const now = deps.clock.now()
  if (now < state.pausedUntil) return
  state.failures += 1
  state.counts.pauses += 1
  state.pausedUntil = now + fullJitterMs(deps.random, state.failures, pauseBackoff.baseMs, pauseBackoff.capMs) + 1
  deps.log.write('warn', 'the broker does not confirm; the relay pauses', { reason, pauseMs: state.pausedUntil - now })
}

/** A refusal is the event's own: it is tried again later, and at last blocks its stream, never others. */
async function refuse(machine: Machine, lane: Lane, event: SequencedEvent, reason: string): Promise<void> {
  const { deps, state } = machine
  const { sequence } = event
  const refusals = lane.refusals + 1
  state.counts.refused += 1
  if (refusals < refusalLimit) {
    const { baseMs, capMs } = refusalBackoff
    const retryAt = deps.clock.now() + fullJitterMs(deps.random, refusals, baseMs, capMs)
    return end(machine, lane, { kind: 'refused', sequence, reason, retryAt })
  }
  state.counts.blocked += 1
  deps.log.write('error', 'a stream is blocked: its next event was refused too often', { stream: lane.stream, sequence, refusals, reason })
  return end(machine, lane, { kind: 'blocked', sequence, reason })
}

/** Records a batch, again and again while the store is away; gives up when the leases are over anyway. */
async function record(deps: RelayDependencies, state: State, reports: readonly RelayReport[]): Promise<void> {
  const batch = newestConfirmations(reports)
  const givesUpAt = deps.clock.now() + state.leaseMs
  for (let attempt = 1; ; attempt += 1) {
    const recorded = await deps.outbox.record(batch)
    if (recorded.isOk()) {
      for (const refused of recorded.value) loseLane(state, refused)
      return
    }
    const pauseMs = fullJitterMs(deps.random, attempt, 50, 1000) + 1
    if (deps.clock.now() + pauseMs >= givesUpAt) {
      deps.log.write('warn', 'the store did not take what was confirmed; those events will be published again', {
        reason: recorded.error.reason,
      })
      return
    }
    await deps.clock.sleep(pauseMs)
  }
}

/** Of several confirmations of one lease only the last says anything new. */
function newestConfirmations(reports: readonly RelayReport[]): readonly RelayReport[] {
  const confirmed = new Map<string, RelayReport>()
  const others: RelayReport[] = []
  for (const report of reports) {
    if (report.kind === 'confirmed') confirmed.set(`${report.fence}:${report.stream}`, report)
    else others.push(report)
  }
  return [...confirmed.values(), ...others]
}

function loseLane(state: State, { stream, fence }: StreamLease): void {
  const lane = state.lanes.get(stream)
  if (lane === undefined || lane.fence !== fence || lane.lost || lane.ending) return
  lane.lost = true
  state.counts.lostLeases += 1
}

/** Keeps the leases of all lanes while the relay runs. */
async function renewLeases({ deps, state, cancel }: Machine): Promise<void> {
  while (!cancel.aborted) {
    await deps.clock.sleep(Math.max(state.leaseMs / 3, 300), cancel)
    const held = [...state.lanes.values()].filter(({ lost, ending }) => !lost && !ending)
    if (held.length === 0 || cancel.aborted) continue
    const askedAt = deps.clock.now()
    const renewed = await deps.outbox.renew(held, state.leaseMs)
    if (renewed.isErr()) continue
    const kept = new Set(renewed.value.map(({ stream }) => stream))
    for (const lane of held) {
      if (kept.has(lane.stream)) lane.expiresAt = askedAt + state.leaseMs
      else loseLane(state, lane)
    }
  }
}

/** Lanes that look for more at the same time share one read. */
function fetchTogether(outbox: Outbox, page: number): Machine['fetch'] {
  type Request = Readonly<{ stream: Stream; after: Sequence }>
  const read = coalesce(async (requests: readonly Request[]): Promise<ReadonlyMap<Stream, readonly SequencedEvent[]>> => {
    const events = await outbox.pending(requests, page)
    // A failed read looks like an empty backlog: the lease is given back and the stream found again.
    return Map.groupBy(events.unwrapOr([]), ({ stream }) => stream)
  })
  return async (request) => (await read(request)).get(request.stream) ?? []
}
