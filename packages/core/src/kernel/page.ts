/** One page of a list; `next` is where the following page starts, `null` at the end. */
export type Page<T, Position> = Readonly<{ items: readonly T[]; next: Position | null }>

/** Makes a page of at most `limit` items from a read of `limit + 1`. */
export function pageOf<T, Position>(rows: readonly T[], limit: number, positionOf: (last: T) => Position): Page<T, Position> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? positionOf(last) : null }
}
