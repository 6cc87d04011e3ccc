export type FarewellReason = 'shutdown' | 'token-expired' | 'store-unavailable'

/** Something that stays open until it is told to end. */
export type Watcher = Readonly<{ end: (reason: FarewellReason) => void }>

/** Whether this instance serves or ends, and who has to be told. */
export interface Lifecycle {
  isStopping(): boolean
  watchers(): number
  /** Registers a watcher until the function it answers is called. */
  admit(watcher: Watcher): () => void
  /** From now on readiness fails and connections close after their answer; every watcher is told to go. */
  stop(): void
}

export function lifecycle(): Lifecycle {
  const watchers = new Set<Watcher>()
  let stopping = false
  return {
    isStopping: () => stopping,
    watchers: () => watchers.size,
    admit(watcher) {
      watchers.add(watcher)
      if (stopping) watcher.end('shutdown')
      return () => watchers.delete(watcher)
    },
    stop() {
      stopping = true
      for (const watcher of [...watchers]) watcher.end('shutdown')
    },
  }
}
