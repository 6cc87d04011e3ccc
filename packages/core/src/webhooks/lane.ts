import type { Instant } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import { spreadMs, succeeded, type Tried } from './delivery.ts'

/**
 * What is shared by all deliveries of one subscription: who sends, how its endpoint fares, and when to look again.
 * Every unit that adds a delivery updates the lane, so that a sender who finds nothing more to send cannot miss it.
 */
export type Lane = Readonly<{
  subscriptionId: Uuid
  /** When to look for something to send; `null` when nothing is pending. */
  dueAt: Instant | null
  /** Rises with each lease. */
  fence: number
  /** `null`: free. */
  leasedUntil: Instant | null
  /** Attempts that failed since the last that succeeded. */
  failures: number
  /** Since when tries have failed and none has succeeded; `null` while it fares well, or nothing is pending. */
  failingSince: Instant | null
  /** The circuit is open: nothing is sent before. */
  pausedUntil: Instant | null
}>

/** After so many failures in a row the lane pauses, and then tries with one delivery at a time. */
const failuresUntilPause = 5
const firstPauseMs = 1000
const longestPauseMs = 5 * 60_000
const longestFailureMs = 120 * 3_600_000

export function emptyLane(subscriptionId: Uuid): Lane {
  return { subscriptionId, dueAt: null, fence: 0, leasedUntil: null, failures: 0, failingSince: null, pausedUntil: null }
}

/** How its endpoint fares after a try. */
export function laneAfterTry(lane: Lane, tried: Tried, now: Instant): Lane {
  if (succeeded(tried)) return wellAgain(lane)
  const failingSince = lane.failingSince ?? now
  // Of tries sent side by side before the pause the rest says nothing new: the pause grows with its own probes only.
  if (lane.pausedUntil !== null && tried.attempt.at < lane.pausedUntil) return { ...lane, failingSince }
  const failures = lane.failures + 1
  if (failures < failuresUntilPause) return { ...lane, failures, failingSince }
  const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(failures - failuresUntilPause, 30), longestPauseMs)
  return { ...lane, failures, failingSince, pausedUntil: now + spreadMs(pauseMs, tried.spread) }
}

export function wellAgain(lane: Lane): Lane {
  if (lane.failures === 0 && lane.failingSince === null && lane.pausedUntil === null) return lane
  return { ...lane, failures: 0, failingSince: null, pausedUntil: null }
}

/** Nothing has succeeded for 120 hours. */
export function hasFailedTooLong({ failingSince }: Lane, now: Instant): boolean {
  return failingSince !== null && now - failingSince >= longestFailureMs
}

/** The lane with one more delivery to come. */
export function laneWith(lane: Lane, deliveryDueAt: Instant): Lane {
  const dueAt = lookAt(lane, deliveryDueAt)
  return { ...lane, dueAt: Math.min(lane.dueAt ?? dueAt, dueAt) }
}

/** The lane when its next delivery is due then, `null` for none: where nothing waits for its endpoint, nothing fails. */
export function laneUntil(lane: Lane, nextDue: Instant | null): Lane {
  return nextDue === null ? { ...lane, dueAt: null, failingSince: null } : { ...lane, dueAt: lookAt(lane, nextDue) }
}

/** Free for anyone. What is overdue is due now, behind the lanes that have waited meanwhile. */
export function laneFreed(lane: Lane, nextDue: Instant | null, now: Instant): Lane {
  return { ...laneUntil(lane, nextDue === null ? null : Math.max(nextDue, now)), leasedUntil: null }
}

export function isFree({ dueAt, leasedUntil }: Lane, now: Instant): boolean {
  return dueAt !== null && dueAt <= now && (leasedUntil === null || leasedUntil <= now)
}

export function sameLane(left: Lane, right: Lane): boolean {
  return (
    left === right ||
    (left.dueAt === right.dueAt &&
      left.fence === right.fence &&
      left.leasedUntil === right.leasedUntil &&
      left.failures === right.failures &&
      left.failingSince === right.failingSince &&
      left.pausedUntil === right.pausedUntil)
  )
}

/** Not before a pause has ended. */
function lookAt({ pausedUntil }: Lane, dueAt: Instant): Instant {
  return Math.max(dueAt, pausedUntil ?? dueAt)
}
