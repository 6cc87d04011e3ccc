type Gate = { inside: number; readonly waiting: Set<() => void> }

/** Lets in at most `limit` at once for each key, in the order of arrival. Leaves nothing behind for keys that nobody uses. */
export type Gates = Readonly<{
  /** Resolves to whether it was let in, `false` once the signal aborts; whoever was let in has to `leave`. */
  enter(key: string, signal: AbortSignal): Promise<boolean>
  leave(key: string): void
}>

export function gates(limit: number): Gates {
  const byKey = new Map<string, Gate>()
  return {
    enter: (key, signal) => {
      if (signal.aborted) return Promise.resolve(false)
      const gate = byKey.get(key) ?? { inside: 0, waiting: new Set() }
      byKey.set(key, gate)
      if (gate.inside < limit) {
        gate.inside += 1
        return Promise.resolve(true)
      }
      return new Promise((resolve) => {
        const giveUp = (): void => {
          gate.waiting.delete(letIn)
          resolve(false)
        }
        const letIn = (): void => {
          signal.removeEventListener('abort', giveUp)
          resolve(true)
        }
        gate.waiting.add(letIn)
        signal.addEventListener('abort', giveUp, { once: true })
      })
    },
    leave: (key) => {
      const gate = byKey.get(key)
      if (gate === undefined) return
      const [next] = gate.waiting
      if (next === undefined) {
        gate.inside -= 1
        if (gate.inside === 0) byKey.delete(key)
        return
      }
      // The place is handed on, so that nobody who arrives now slips in between.
      gate.waiting.delete(next)
      next()
    },
  }
}
