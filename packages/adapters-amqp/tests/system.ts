import { setTimeout as delay } from 'node:timers/promises'
import type { Clock, Log, Random } from '@cbp/core'

/** Real time, for a real broker. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, cancel) {
    if (cancel?.aborted) return
    const controller = new AbortController()
    const wake = (): void => controller.abort()
    cancel?.addEventListener('abort', wake)
    await delay(ms, undefined, { signal: controller.signal }).catch(() => {})
    cancel?.removeEventListener('abort', wake)
  },
}

export const systemRandom: Random = { fraction: () => Math.random() }

export const silentLog: Log = { write: () => {} }
