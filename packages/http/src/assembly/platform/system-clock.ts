import type { Clock } from '@cbp/core'

/** The wall clock and timers of this process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, cancel) =>
    new Promise((resolve) => {
      if (cancel?.aborted === true) return resolve()
      const end = (): void => {
        clearTimeout(timer)
        cancel?.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      cancel?.addEventListener('abort', end, { once: true })
    }),
}
