/**
 * Gathers what is asked for within one turn of the event loop into batches, because a command of its own for each costs
 * the driver more than all the rest.
 *
 * @param run carries out one batch and answers each item in its place; must not reject
 */
export function gather<Item, Answer>(
  limit: number,
  run: (batch: readonly Item[]) => Promise<readonly Answer[]>,
): (item: Item) => Promise<Answer> {
  type Batch = Readonly<{ items: Item[]; resolves: ((answer: Answer) => void)[] }>
  let waiting: Batch | null = null

  const flush = async (): Promise<void> => {
    if (waiting === null) return
    const { items, resolves } = waiting
    waiting = null
    const answers = await run(items)
    for (let index = 0; index < resolves.length; index += 1) resolves[index]?.(answers[index] as Answer)
  }

  return (item) =>
    new Promise((resolve) => {
      if (waiting === null) {
        waiting = { items: [], resolves: [] }
        setImmediate(() => void flush())
      }
      waiting.items.push(item)
      waiting.resolves.push(resolve)
      if (waiting.items.length === limit) void flush()
    })
}
