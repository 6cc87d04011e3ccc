/**
 * Gathers what is asked for while one batch is under way into the next one, so that many callers share few round trips.
 * Nothing waits when nothing is under way.
 *
 * @param run carries out one batch; must not reject
 * @returns adds one item and resolves with the result of its batch
 */
export function coalesce<Item, Outcome>(run: (batch: readonly Item[]) => Promise<Outcome>): (item: Item) => Promise<Outcome> {
  let waiting: Item[] = []
  let next: Promise<Outcome> | null = null
  let underWay: Promise<unknown> = Promise.resolve()

  const runNext = async (): Promise<Outcome> => {
    // A batch that failed has told its own callers; the next one begins all the same.
    await underWay.catch(() => {})
    const batch = waiting
    waiting = []
    next = null
    const running = run(batch)
    underWay = running
    return running
  }

  return (item) => {
    waiting.push(item)
    next ??= runNext()
    return next
  }
}
