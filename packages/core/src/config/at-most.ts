/**
 * Lets at most `limit` pieces of work run at a time; the others wait their turn, first come, first served.
 *
 * @returns begins the work as soon as there is room
 */
export function atMost(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting = new Set<() => void>()
  let running = 0

  const leave = (): void => {
    for (const enter of waiting) {
      // Whoever leaves hands on the place, so that nobody who comes meanwhile takes it.
      waiting.delete(enter)
      enter()
      return
    }
    running -= 1
  }

  return async (work) => {
    if (running < limit) running += 1
    else await new Promise<void>((resolve) => waiting.add(resolve))
    try {
      return await work()
    } finally {
      leave()
    }
  }
}
