import type { Clock, Instant, Log } from '@cbp/core'

/** What a server says that answers everything and keeps nothing: it is full, a replica, or cannot reach its disk. */
export type RefusedWrites = Readonly<{
  note: (reason: string) => void
  /** Why it lately refused, or `null`. */
  lately: () => string | null
}>

const latelyMs = 30_000

export function refusedWrites(clock: Pick<Clock, 'now'>, log: Log): RefusedWrites {
  let reason = ''
  let at: Instant | null = null
  const lately = (): string | null => (at !== null && clock.now() - at < latelyMs ? reason : null)
  return {
    note(why) {
      reason = why
      // Once for each time: a server that is nearly full refuses now and then.
      if (lately() === null)
        log.write('warn', 'Redis refuses writes: nothing is cached there, each instance limits requests by itself', { reason })
      at = clock.now()
    },
    lately,
  }
}
