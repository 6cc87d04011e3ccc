/** Tells whether requests wait too long for the event loop, which is the queue that no count of requests shows. */
export interface Turns {
  /**
   * To be called for each request: whether more work than `targetMs` of it lay before this one, and has done so for some time.
   * Once that is so, `patience` times as much may lie before it.
   */
  isLate(targetMs: number, patience: number): boolean
}

export type TurnsOptions = Readonly<{
  /** Monotonic, in milliseconds. */
  now?: () => number
  /** Processor time that this thread has used, in milliseconds. */
  workMs?: () => number
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
/** So few in one turn are no crowd, however long they take: refusing some would not make the others faster for long. */
const noCrowd = 64
const idleAtLeastMs = 0.5

/**
 * In one turn of its event loop Node takes up whatever has arrived on every connection. So what this thread has worked since
 * requests were taken up in the turn before, if the loop has not idled since, lay before the request at hand. Work is
 * counted, not time: on a machine that others keep busy time passes without any, and refusing requests would not help.
 */
export function turnsOfEventLoop({
  now = () => performance.now(),
  workMs = threadWorkMs,
  turn = () => performance.nodeTiming.uvMetricsInfo.loopCount,
  idleMs = () => performance.nodeTiming.idleTime,
  afterTurn = (end) => void setImmediate(end),
}: TurnsOptions = {}): Turns {
  let began: Readonly<{ at: number; work: number }> | null = null
  let ended = { at: now(), work: workMs(), turn: Number.NEGATIVE_INFINITY, idle: idleMs() }
  let requests = 0
  let goodAt = ended.at
  let overloadedUntil = Number.NEGATIVE_INFINITY
  let target = Number.POSITIVE_INFINITY

  const end = (): void => {
    const [at, work] = [now(), workMs()]
    if (began === null || requests <= noCrowd || work - began.work <= target) goodAt = at
    ended = { at, work, turn: turn(), idle: idleMs() }
    began = null
  }
  const begin = (at: number): Readonly<{ at: number; work: number }> => {
    afterTurn(end)
    requests = 0
    const follows = turn() - ended.turn <= 1 && idleMs() - ended.idle < idleAtLeastMs
    if (follows) return ended
    goodAt = at
    return { at, work: workMs() }
  }
  return {
    isLate: (targetMs, patience) => {
      const at = now()
      target = targetMs
      began ??= begin(at)
      requests += 1
      // Asking for the time is cheap, asking for the work is not; and there is never more work than time.
      if (requests <= noCrowd || at - began.at <= targetMs) return false
      const work = workMs() - began.work
      if (work <= targetMs || (at - goodAt <= persistsForMs && at >= overloadedUntil)) return false
      overloadedUntil = at + calmAfterMs
      return work > patience * targetMs
    },
  }
}

function threadWorkMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
