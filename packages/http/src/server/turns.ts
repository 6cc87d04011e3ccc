/** Tells how long requests wait for the event loop, which is the queue that no count of requests shows. */
export interface Turns {
  /** To be called for each request: how long it may have waited, in milliseconds. */
  waitedMs(): number
  /** Whether requests have been waiting longer than `targetMs` for some time, and not just once. */
  isOverloaded(targetMs: number): boolean
}

export type TurnsOptions = Readonly<{
  /** Monotonic, in milliseconds. */
  now?: () => number
  /** Which turn of the event loop this is. */
  turn?: () => number
  /** How long the event loop has idled in all, in milliseconds. */
  idleMs?: () => number
  /** Runs something when the events at hand have been dealt with. */
  afterTurn?: (end: () => void) => void
}>

/** A stall, such as a collection of garbage, makes one turn long; overload makes them all so. */
const persistsForMs = 100
/** Once there was overload, requests are held to the target for so long after the last sign of it. */
const calmAfterMs = 2_000
const idleAtLeastMs = 0.5

/**
 * In one turn of its event loop Node takes up whatever has arrived on every connection. So the time since requests were
 * taken up in the turn before, if the loop has not idled since, is how long the request at hand may have lain unread.
 */
export function turnsOfEventLoop({
  now = () => performance.now(),
  turn = () => performance.nodeTiming.uvMetricsInfo.loopCount,
  idleMs = () => performance.nodeTiming.idleTime,
  afterTurn = (end) => void setImmediate(end),
}: TurnsOptions = {}): Turns {
  let beganAt: number | null = null
  let endedAt = now()
  let endedTurn = Number.NEGATIVE_INFINITY
  let idledUntilThen = idleMs()
  let goodAt = endedAt
  let overloadedUntil = Number.NEGATIVE_INFINITY
  let target = Number.POSITIVE_INFINITY

  const end = (): void => {
    const at = now()
    if (beganAt !== null && at - beganAt <= target) goodAt = at
    beganAt = null
    endedAt = at
    endedTurn = turn()
    idledUntilThen = idleMs()
  }
  const begin = (at: number): number => {
    const follows = turn() - endedTurn <= 1 && idleMs() - idledUntilThen < idleAtLeastMs
    if (!follows) goodAt = at
    beganAt = follows ? endedAt : at
    afterTurn(end)
    return beganAt
  }
  return {
    waitedMs: () => {
      const at = now()
      return at - (beganAt ?? begin(at))
    },
    isOverloaded: (targetMs) => {
      target = targetMs
      const at = now()
      const isLate = beganAt !== null && at - beganAt > targetMs
      if (isLate && (at - goodAt > persistsForMs || at < overloadedUntil)) overloadedUntil = at + calmAfterMs
      return at < overloadedUntil
    },
  }
}
