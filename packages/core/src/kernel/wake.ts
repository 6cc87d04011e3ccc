import { type CancelSignal, cancelSource } from './cancel.ts'
import type { Clock } from './clock.ts'

/** Lets one loop sleep until it is woken, a time has passed, or it is cancelled. A wake-up while it works is not lost. */
export interface Wake {
  wake(): void
  /** Resolves at once when `wake` was called since the last wait. */
  wait(ms: number): Promise<void>
}

export function wakeable(clock: Clock, cancel: CancelSignal): Wake {
  let woken = false
  let interrupt: (() => void) | null = null
  const wake = (): void => {
    woken = true
    interrupt?.()
  }
  return {
    wake,
    async wait(ms) {
      if (!woken && !cancel.aborted) {
        const sleeping = cancelSource()
        interrupt = sleeping.cancel
        cancel.addEventListener('abort', sleeping.cancel, { once: true })
        await clock.sleep(ms, sleeping.signal)
        cancel.removeEventListener('abort', sleeping.cancel)
        interrupt = null
      }
      woken = false
    },
  }
}
