/** The part of the platform's `AbortSignal` that core relies on, so that any host can pass its own. */
export interface CancelSignal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** A signal that never fires. */
export const neverCancelled: CancelSignal = {
  aborted: false,
  addEventListener: () => {},
  removeEventListener: () => {},
}

/** A signal and the means to fire it, where the platform's `AbortController` is out of reach. */
export function cancelSource(): Readonly<{ signal: CancelSignal; cancel: () => void }> {
  const listeners = new Set<() => void>()
  let aborted = false
  const signal: CancelSignal = {
    get aborted(): boolean {
      return aborted
    },
    addEventListener: (_type, listener) => {
      listeners.add(listener)
    },
    removeEventListener: (_type, listener) => {
      listeners.delete(listener)
    },
  }
  const cancel = (): void => {
    if (aborted) return
    aborted = true
    const waiting = [...listeners]
    listeners.clear()
    for (const listener of waiting) listener()
  }
  return { signal, cancel }
}
