/** Puts deadlines on promises with one timer for all of them, because a timer for each costs more than most requests. */
export interface RequestDeadlines {
  /** The value of `work`, or `expired()` when `ms` milliseconds pass first. */
  within<T>(work: Promise<T>, ms: number, expired: () => T): Promise<T>
}

type Pending = { readonly untilMs: number; readonly expire: () => void }

export function requestDeadlines(sweepEveryMs = 250): RequestDeadlines {
  const pending = new Set<Pending>()
  let timer: NodeJS.Timeout | null = null

  const sweep = (): void => {
    const now = performance.now()
    for (const each of pending) if (each.untilMs <= now) each.expire()
    if (pending.size > 0 || timer === null) return
    clearInterval(timer)
    timer = null
  }

  return {
    within: (work, ms, expired) =>
      new Promise((resolve, reject) => {
        const entry: Pending = {
          untilMs: performance.now() + ms,
          expire: () => {
            pending.delete(entry)
            resolve(expired())
          },
        }
        pending.add(entry)
        timer ??= setInterval(sweep, sweepEveryMs).unref()
        work.then(
          (value) => {
            pending.delete(entry)
            resolve(value)
          },
          (defect: unknown) => {
            pending.delete(entry)
            reject(defect)
          },
        )
      }),
  }
}
