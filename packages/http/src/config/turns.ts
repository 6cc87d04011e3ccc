/** Waits for a place in a turn of the event loop; `null` when there is one in this turn. */
export type TakeTurn = () => Promise<void> | null

/**
 * Lets at most `perTurn` callers go on in one turn of the event loop and the others in later ones, first come, first
 * served, so that work for many does not keep everything else waiting. Who does not wait costs nothing.
 */
export function turns(perTurn: number, nextTurn: (begin: () => void) => void = setImmediate): TakeTurn {
  let waiting: (() => void)[] = []
  let taken = 0

  const begin = (): void => {
    const admitted = waiting.slice(0, perTurn)
    waiting = waiting.slice(perTurn)
    taken = admitted.length
    if (taken > 0) nextTurn(begin)
    for (const admit of admitted) admit()
  }

  return () => {
    if (taken === 0) nextTurn(begin)
    if (taken < perTurn) {
      taken += 1
      return null
    }
    return new Promise((resolve) => waiting.push(resolve))
  }
}
