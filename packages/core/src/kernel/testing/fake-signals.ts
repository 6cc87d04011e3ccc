import type { Signals, Topic } from '../signals.ts'

/** Wakes every listener before `raise` returns. */
export function fakeSignals(): Signals {
  const listeners: Record<Topic, (() => void)[]> = { revisions: [], events: [], deliveries: [], access: [] }
  return {
    raise(topic: Topic): void {
      for (const listener of [...listeners[topic]]) listener()
    },
    listen(topic: Topic, listener: () => void): () => void {
      // Wrapped, so that one function that listens twice is two listeners.
      const own = (): void => listener()
      listeners[topic].push(own)
      return () => {
        listeners[topic] = listeners[topic].filter((each) => each !== own)
      }
    },
  }
}
