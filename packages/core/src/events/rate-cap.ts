import type { Clock, Instant } from '../kernel/clock.ts'

/**
 * Takes one of `limit` places in any span of `spanMs`, by remembering when the newest were taken.
 *
 * @returns 0 when a place was taken, else after how many milliseconds there is one
 */
export function rateCap(clock: Pick<Clock, 'now'>, limit: number, spanMs: number): () => number {
  let taken: readonly Instant[] = []
  return () => {
    const now = clock.now()
    // A clock that was set back must not shut everybody out until it has caught up.
    taken = taken.filter((at) => at <= now && at > now - spanMs)
    const [oldest] = taken
    if (oldest !== undefined && taken.length >= limit) return oldest + spanMs - now
    taken = [...taken, now]
    return 0
  }
}
