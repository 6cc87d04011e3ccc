import type { Signals, Topic } from '@cbp/core'

/** Wake-ups within one process: every listener is called before `raise` returns. */
export function inProcessSignals(): Signals {
  // Replaced, never changed, so that a listener may start or stop others while it is woken.
  const listeners: Record<Topic, readonly (() => void)[]> = { revisions: [], events: [], deliveries: [], access: [] }
  return {
    raise(topic) {
      for (const listener of listeners[topic]) listener()
    },
    listen(topic, listener) {
      // Wrapped, so that one function that listens twice is two listeners.
      const own = (): void => listener()
      listeners[topic] = [...listeners[topic], own]
      return () => {
        listeners[topic] = listeners[topic].filter((each) => each !== own)
      }
    },
  }
}
