import type { CancelSignal } from '../kernel/cancel.ts'
import type { Clock, Instant } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { Signals } from '../kernel/signals.ts'
import { survivingStore } from '../kernel/survive-defects.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import { type Wake, wakeable } from '../kernel/wake.ts'
import { type Cursor, everything, select, type UnitChanges, type WatchSelection } from './changes.ts'
import type { ConfigStore } from './ports/config-store.ts'

/**
 * Follows the store's head for a whole instance: one reader of the store, however many watchers.
 * Wake-ups make it quick; polling makes it right.
 */
export interface ChangeFeed {
  /** Follows until cancelled; one run at a time. */
  run(cancel: CancelSignal): Promise<void>
  /** How far it has followed; `null` while it does not run or has not reached the store yet. */
  position(): Cursor | null
  /** The units after `after` that it still remembers; `null` when it does not reach back that far, or does not run. */
  recent(after: Revision, selection: WatchSelection, limit: number): readonly UnitChanges[] | null
  /** Resolves when a selected unit is followed, the position is lost, `until` passes, or `release` of the waiter is called. */
  wait(selection: WatchSelection, until: Instant): FeedWaiter
}

export type FeedWaiter = Readonly<{ done: Promise<void>; release: () => void }>

export type FeedListener = Readonly<{
  /** Called for each unit in order, before any watcher hears of it. */
  onUnit: (unit: UnitChanges) => void
  /** The head was found without reading what led to it; in a new epoch nothing known before counts any more. */
  onJump: (revision: Revision, isNewEpoch: boolean) => void
}>

export type FeedLimits = Readonly<{
  /** Units kept for watchers; up to twice as many between two trims. */
  memory: number
  /** Changes read from the store at a time. */
  page: number
}>

const pollMs = 200

type Dependencies = Readonly<{ store: ConfigStore; clock: Clock; signals: Signals; log: Log; listener: FeedListener; limits: FeedLimits }>

type FeedState = {
  position: Cursor | null
  /** Units after `reach`, ascending. */
  units: UnitChanges[]
  reach: Revision
  waiters: Set<Waiter>
}

type Waiter = { selection: WatchSelection; until: Instant; wake: () => void }

export function changeFeed(given: Dependencies): ChangeFeed {
  const { clock, signals, log } = given
  const deps: Dependencies = { ...given, store: survivingStore(log, given.store) }
  const state: FeedState = { position: null, units: [], reach: 0 as Revision, waiters: new Set() }

  return {
    async run(cancel) {
      const wake = wakeable(clock, cancel)
      const stopListening = signals.listen('revisions', wake.wake)
      const expiring = expireWaiters(clock, state, cancel)
      let failing = false
      while (!cancel.aborted) {
        const failure = await follow(deps, state, wake)
        if (failure !== null && !failing) log.write('warn', 'the change feed cannot read the store', { reason: failure })
        if (failure === null && failing) log.write('info', 'the change feed reads the store again')
        failing = failure !== null
        await wake.wait(pollMs)
      }
      await expiring
      stopListening()
      state.position = null
      wakeAll(state)
    },
    position: () => state.position,
    recent(after, selection, limit) {
      if (state.position === null || after < state.reach) return null
      return recentUnits(state.units, after, selection, limit)
    },
    wait(selection, until) {
      let wake = (): void => {}
      const done = new Promise<void>((resolve) => {
        wake = resolve
      })
      const waiter: Waiter = {
        selection,
        until,
        wake: () => {
          state.waiters.delete(waiter)
          wake()
        },
      }
      state.waiters.add(waiter)
      return { done, release: waiter.wake }
    },
  }
}

/** Reads everything up to the head; answers what failed, or `null`. */
async function follow(deps: Dependencies, state: FeedState, wake: Wake): Promise<string | null> {
  const head = await deps.store.head()
  if (head.isErr()) return head.error.reason
  const { epoch, revision } = head.value
  const { position } = state
  if (position === null || position.epoch !== epoch || position.revision > revision) {
    jump(deps, state, head.value)
    return null
  }
  if (position.revision === revision) return null
  const read = await deps.store.changes(position.revision, everything, deps.limits.page)
  if (read.isErr()) return read.error.reason
  const { units, through } = read.value
  advance(deps, state, { epoch, revision: through }, units)
  if (through < revision) wake.wake()
  return null
}

/** Begins at the head: after a start, a restore or a failover, nothing before it is remembered. */
function jump({ listener }: Dependencies, state: FeedState, head: Cursor): void {
  listener.onJump(head.revision, state.position !== null && state.position.epoch !== head.epoch)
  state.position = head
  state.units = []
  state.reach = head.revision
  wakeAll(state)
}

function advance({ listener, limits }: Dependencies, state: FeedState, to: Cursor, units: readonly UnitChanges[]): void {
  for (const unit of units) {
    listener.onUnit(unit)
    state.units.push(unit)
  }
  // Trimmed now and then rather than always: removing from the front of an array moves all of it.
  if (state.units.length > 2 * limits.memory) {
    const dropped = state.units.splice(0, state.units.length - limits.memory)
    state.reach = dropped.at(-1)?.revision ?? state.reach
  }
  state.position = to
  for (const waiter of state.waiters) {
    if (units.some((unit) => select(unit, waiter.selection) !== null)) waiter.wake()
  }
}

/** By itself, so that nobody waits longer than agreed because the store is slow to answer. */
async function expireWaiters(clock: Clock, { waiters }: FeedState, cancel: CancelSignal): Promise<void> {
  while (!cancel.aborted) {
    await clock.sleep(pollMs, cancel)
    const now = clock.now()
    for (const waiter of waiters) if (waiter.until <= now) waiter.wake()
  }
}

function wakeAll(state: FeedState): void {
  for (const waiter of state.waiters) waiter.wake()
}

/** Backwards, because almost every watcher is near the end. */
function recentUnits(units: readonly UnitChanges[], after: Revision, selection: WatchSelection, limit: number): readonly UnitChanges[] {
  let first = units.length
  while (first > 0 && (units[first - 1] as UnitChanges).revision > after) first -= 1
  const found: UnitChanges[] = []
  for (let index = first; index < units.length && found.length < limit; index += 1) {
    const selected = select(units[index] as UnitChanges, selection)
    if (selected !== null) found.push(selected)
  }
  return found
}
