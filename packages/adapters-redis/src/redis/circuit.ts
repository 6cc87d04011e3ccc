import type { Clock, Instant, Random } from '@cbp/core'

export type CircuitOptions = Readonly<{
  clock: Pick<Clock, 'now'>
  random: Random
  onOpen: (reason: string) => void
  onClose: () => void
}>

/** What keeps a node in trouble from costing every call a deadline. */
export interface Circuit {
  /** Whether to make a call now. While the circuit is open, one call at a time is let through after each pause to look. */
  admits(): boolean
  succeeded(): void
  failed(reason: string): void
  isOpen(): boolean
  /** Nothing has failed lately: the circuit need not be remembered. */
  isSound(): boolean
}

/** Failures count 1, successes take 0.1 off: it opens under a handful of failures in a row, or when a tenth of all calls fail. */
const scoreToOpen = 5
const reliefBySuccess = 0.1
/** What fails at the same moment counts once: the calls that one hiccup has caught are one piece of news. */
const sameMomentMs = 5
const firstPauseMs = 250
const longestPauseMs = 5_000

/** A circuit breaker whose sound state costs one comparison a call; made for each node, only while it is in trouble. */
export function circuit({ clock, random, onOpen, onClose }: CircuitOptions): Circuit {
  let score = 0
  let openings = 0
  let lastFailureAt: Instant | null = null
  let openedAt: Instant = 0
  let closedUntil: Instant | null = null
  let looking = false

  const open = (reason: string): void => {
    if (openings === 0) onOpen(reason)
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(openings, 10))
    openings += 1
    looking = false
    openedAt = clock.now()
    closedUntil = openedAt + Math.ceil(pauseMs * (0.5 + 0.5 * random.fraction()))
  }

  return {
    admits() {
      if (closedUntil === null) return true
      const now = clock.now()
      // A clock that was set back must not make the pause longer.
      if (looking || (now < closedUntil && now >= openedAt)) return false
      looking = true
      return true
    },
    succeeded() {
      score = Math.max(0, score - reliefBySuccess)
      // What was sent before it opened may still come back, and tells nothing about now.
      if (closedUntil === null || !looking) return
      closedUntil = null
      looking = false
      openings = 0
      score = 0
      onClose()
    },
    failed(reason) {
      if (closedUntil !== null) {
        if (looking) open(reason)
        return
      }
      const now = clock.now()
      if (lastFailureAt !== null && Math.abs(now - lastFailureAt) < sameMomentMs) return
      lastFailureAt = now
      score += 1
      if (score >= scoreToOpen) open(reason)
    },
    isOpen: () => closedUntil !== null,
    isSound: () => closedUntil === null && score === 0,
  }
}
