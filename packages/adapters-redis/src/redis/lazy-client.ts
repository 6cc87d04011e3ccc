import type { Log } from '@cbp/core'
import { reasonOf } from './ask.ts'
import { type DriverOptions, openDriver, type RedisClient } from './driver.ts'

/** The driver's client, made when first needed; it connects again by itself. */
export type LazyClient = Readonly<{
  /** `null` while it is not connected. */
  ready: () => RedisClient | null
  /** Begins to connect if nobody has; resolves when that has succeeded or failed, and never rejects. */
  open: () => Promise<void>
  lastError: () => string
  close: () => void
}>

export function lazyClient(options: Omit<DriverOptions, 'onError' | 'onConnected' | 'onLost'> & Readonly<{ log: Log }>): LazyClient {
  let client: RedisClient | null = null
  let opening: Promise<void> | null = null
  let isClosed = false
  let isLost = false
  let lastError = 'not connected yet'

  const noteError = (reason: string): void => {
    lastError = reason
  }
  const noteLoss = (): void => {
    if (isLost || isClosed) return
    isLost = true
    options.log.write('warn', 'no connection to Redis: the store answers, requests are limited by each instance', { reason: lastError })
  }
  const noteConnection = (): void => {
    if (isLost) options.log.write('info', 'connected to Redis again')
    isLost = false
  }
  const begin = async (): Promise<void> => {
    const made = await openDriver({ ...options, onError: noteError, onConnected: noteConnection, onLost: noteLoss })
    if (isClosed) return made.redis.disconnect()
    client = made
    // Why it failed is told by an event; it goes on trying.
    await made.redis.connect().catch(() => {})
  }
  return {
    ready: () => (client?.redis.status === 'ready' ? client : null),
    open() {
      opening ??= begin().catch((error: unknown) => noteError(reasonOf(error)))
      return opening
    },
    lastError: () => lastError,
    close() {
      isClosed = true
      client?.redis.disconnect()
      client = null
    },
  }
}
