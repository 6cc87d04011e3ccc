import { type CancelSignal, neverCancelled } from '../cancel.ts'
import type { Clock, Instant } from '../clock.ts'

export type FakeClock = Clock &
  Readonly<{
    /** Lets `ms` pass; wakes each sleeper at its own deadline, and lets it run before time goes on. Less than 0 sets the clock back. */
    advance(ms: number): Promise<void>
    /** Goes straight to the next deadline; `false` when nobody sleeps. */
    advanceToNext(): Promise<boolean>
    /** When the next sleeper wakes, or `null`. */
    nextDeadline(): Instant | null
    sleepers(): number
  }>

type Options = Readonly<{
  start?: Instant
  /**
   * Runs everything that is ready to run. The default gives promises a fixed number of turns;
   * a host can pass one that waits for the whole queue, e.g. by `setImmediate`.
   */
  drain?: () => Promise<void>
}>

type Sleeper = Readonly<{ deadline: Instant; wake: () => void }>

/** 2026-01-01T00:00:00.000Z */
export const fakeEpochStart: Instant = 1_767_225_600_000

/** Virtual time: it stands still until it is advanced. */
export function fakeClock({ start = fakeEpochStart, drain = drainPromises }: Options = {}): FakeClock {
  let now = start
  /** Latest first, so that the next one is taken off the end. */
  const sleepers: Sleeper[] = []

  async function wakeUntil(end: Instant): Promise<void> {
    await drain()
    for (let next = sleepers.at(-1); next !== undefined && next.deadline <= end; next = sleepers.at(-1)) {
      now = Math.max(now, next.deadline)
      sleepers.pop()
      next.wake()
      await drain()
    }
    now = end
  }

  return {
    now: () => now,
    sleep(ms: number, cancel: CancelSignal = neverCancelled): Promise<void> {
      if (ms <= 0 || cancel.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const onCancel = (): void => {
          const index = sleepers.indexOf(sleeper)
          if (index >= 0) sleepers.splice(index, 1)
          resolve()
        }
        const sleeper: Sleeper = {
          // Instants are whole milliseconds, and nobody wakes early.
          deadline: now + Math.ceil(ms),
          wake: () => {
            cancel.removeEventListener('abort', onCancel)
            resolve()
          },
        }
        cancel.addEventListener('abort', onCancel, { once: true })
        sleepers.splice(placeOf(sleepers, sleeper.deadline), 0, sleeper)
      })
    },
    advance: (ms) => wakeUntil(now + ms),
    async advanceToNext(): Promise<boolean> {
      await drain()
      const next = sleepers.at(-1)
      if (next === undefined) return false
      await wakeUntil(next.deadline)
      return true
    },
    nextDeadline: () => sleepers.at(-1)?.deadline ?? null,
    sleepers: () => sleepers.length,
  }
}

/** Before every sleeper with the same deadline, because who slept first wakes first. */
function placeOf(sleepers: readonly Sleeper[], deadline: Instant): number {
  let low = 0
  let high = sleepers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sleepers[middle]?.deadline ?? 0) > deadline) low = middle + 1
    else high = middle
  }
  return low
}

async function drainPromises(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve()
}
