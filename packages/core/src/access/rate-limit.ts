import type { Instant } from '../kernel/clock.ts'

export type RateLimitRequest = Readonly<{
  /** Whose requests are counted together, e.g. one address or one client. */
  partition: string
  /** How much any window admits; a whole number of at least 1. */
  limit: number
  /** How long a window is. Counts of windows of different lengths are apart. */
  windowSeconds: number
  /** How much of the limit this takes; a whole number of at least 1. */
  cost: number
}>

export type RateLimitDecision = Readonly<{
  allowed: boolean
  limit: number
  /** What is left of the limit after this decision. */
  remaining: number
  /** When nothing more is asked for, the whole limit is available again after so many seconds, rounded up. */
  resetSeconds: number
  /** 0 when allowed; else the earliest time at which the same request can be admitted, rounded up. */
  retryAfterSeconds: number
}>

/**
 * What was admitted, by buckets of a fifteenth of the window. The oldest bucket that a window touches counts whole, so
 * that no window admits more than the limit (L19); the price is that a request counts for up to one bucket longer.
 */
export type RateWindow = Readonly<{
  /** The newest bucket that something was counted in, numbered from the epoch. */
  newest: number
  /** By bucket number modulo their count. */
  counts: readonly number[]
}>

/** A window of fifteen buckets touches sixteen. */
export const rateWindowBuckets = 16

/** Rounded up, so that fifteen buckets are never shorter than the window. */
export function bucketMs(windowSeconds: number): number {
  return Math.ceil((windowSeconds * 1000) / (rateWindowBuckets - 1))
}

export type Taken = Readonly<{ decision: RateLimitDecision; window: RateWindow; bucket: number }>

/** Decides about one request; a refused one takes nothing. Time that went back counts as standing still. */
export function takeFrom(before: RateWindow | null, { windowSeconds, limit, cost }: RateLimitRequest, now: Instant): Taken {
  const widthMs = bucketMs(windowSeconds)
  const bucket = Math.max(Math.floor(now / widthMs), before === null ? 0 : before.newest)
  const counts = countsAt(before, bucket)
  // A loop and no closures: this runs twice for every request.
  let used = 0
  for (let slot = 0; slot < rateWindowBuckets; slot += 1) used += counts[slot] as number
  const at = Math.max(now, bucket * widthMs)
  const window = { newest: bucket, counts }
  if (used + cost <= limit) {
    const slot = bucket % rateWindowBuckets
    counts[slot] = (counts[slot] as number) + cost
    const resetSeconds = freedInSeconds(bucket, widthMs, at)
    return { decision: { allowed: true, limit, remaining: limit - used - cost, resetSeconds, retryAfterSeconds: 0 }, window, bucket }
  }
  const { sufficient, last } = release(counts, bucket, used + cost - limit)
  const decision = {
    allowed: false,
    limit,
    remaining: Math.max(0, limit - used),
    resetSeconds: used === 0 ? 0 : freedInSeconds(last, widthMs, at),
    retryAfterSeconds: freedInSeconds(sufficient, widthMs, at),
  }
  return { decision, window, bucket }
}

/** When what was counted in a bucket counts no more, from `at` on, rounded up. */
function freedInSeconds(bucket: number, widthMs: number, at: Instant): number {
  return Math.ceil(((bucket + rateWindowBuckets) * widthMs - at) / 1000)
}

/** Undoes what was taken, unless the bucket has left the window meanwhile. */
export function giveBack(window: RateWindow, bucket: number, cost: number): RateWindow {
  if (window.newest - bucket >= rateWindowBuckets) return window
  const slot = bucket % rateWindowBuckets
  return { newest: window.newest, counts: window.counts.map((count, index) => (index === slot ? Math.max(0, count - cost) : count)) }
}

/** A window that is at least as full as either, whenever one looks. */
export function fullerOf(one: RateWindow, other: RateWindow): RateWindow {
  const newest = Math.max(one.newest, other.newest)
  const others = countsAt(other, newest)
  return { newest, counts: countsAt(one, newest).map((count, slot) => Math.max(count, others[slot] ?? 0)) }
}

/** True when nothing that was counted matters any more. */
export function isOver(window: RateWindow, windowSeconds: number, now: Instant): boolean {
  return Math.floor(now / bucketMs(windowSeconds)) - window.newest >= rateWindowBuckets
}

/** The counts that matter in `bucket`, which is not before the newest; a copy. */
function countsAt(window: RateWindow | null, bucket: number): number[] {
  if (window === null || bucket - window.newest >= rateWindowBuckets) return new Array<number>(rateWindowBuckets).fill(0)
  const counts = window.counts.slice()
  for (let passed = window.newest + 1; passed <= bucket; passed += 1) counts[passed % rateWindowBuckets] = 0
  return counts
}

/** The bucket whose end makes room for `needed`, or the last one there is, and the last that holds anything. */
function release(counts: readonly number[], newest: number, needed: number): Readonly<{ sufficient: number; last: number }> {
  let freed = 0
  let sufficient: number | null = null
  let last = newest
  for (let bucket = Math.max(0, newest - rateWindowBuckets + 1); bucket <= newest; bucket += 1) {
    const count = counts[bucket % rateWindowBuckets] ?? 0
    if (count === 0) continue
    freed += count
    last = bucket
    if (freed >= needed) sufficient ??= bucket
  }
  return { sufficient: sufficient ?? newest, last }
}
