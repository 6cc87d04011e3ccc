/** Starts the sweeping, which goes on until there is nothing left to sweep: one timer for all that waits. */
export type StartSweeping = () => void

/** `sweep` answers whether anything is left. */
export function sweeper(everyMs: number, sweep: () => boolean): StartSweeping {
  let timer: NodeJS.Timeout | null = null
  const run = (): void => {
    if (sweep() || timer === null) return
    clearInterval(timer)
    timer = null
  }
  return () => {
    timer ??= setInterval(run, everyMs).unref()
  }
}
