import { cancelSource } from './cancel.ts'
import type { Clock, Instant } from './clock.ts'

/**
 * Puts one deadline of fixed length on many promises with a single sleeping timer, because a timer for each would cost
 * more than the work it guards.
 *
 * @returns the value, or `expired()` when `ms` milliseconds pass first
 */
export function deadlines(clock: Clock, ms: number): <T>(promise: Promise<T>, expired: () => T) => Promise<T> {
  // In the order of their deadlines, since all have the same length.
  const waiting = new Set<{ at: Instant; expire: () => void }>()
  let sleeper: { cancel: () => void } | null = null

  const watch = async (): Promise<void> => {
    while (waiting.size > 0) {
      const [first] = waiting
      const remaining = (first?.at ?? 0) - clock.now()
      if (remaining <= 0) first?.expire()
      else {
        const source = cancelSource()
        sleeper = source
        await clock.sleep(remaining, source.signal)
      }
    }
    sleeper = null
  }

  return (promise, expired) =>
    new Promise((resolve, reject) => {
      const entry = {
        at: clock.now() + ms,
        expire: (): void => {
          waiting.delete(entry)
          resolve(expired())
        },
      }
      const settled = (): void => {
        waiting.delete(entry)
        if (waiting.size === 0) sleeper?.cancel()
      }
      promise.then(
        (value) => {
          settled()
          resolve(value)
        },
        (defect: unknown) => {
          settled()
          reject(defect)
        },
      )
      waiting.add(entry)
      if (waiting.size === 1 && sleeper === null) void watch()
    })
}
