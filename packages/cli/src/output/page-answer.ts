import type { Page } from '@cbp/core'
import type { Answer, Session } from '../session.ts'
import { type Column, renderTable } from './table.ts'

/** How a list is told. */
export type Listing<T> = Readonly<{
  /** What there is more of beyond the page, e.g. `payments`. */
  older: string
  /** What to say of an empty page. */
  none: string
  body: (item: T) => unknown
  columns: readonly Column[]
  row: (item: T) => readonly string[]
}>

/** A page of a list, newest first, as a table or as `{items, nextBefore}`; how to go on is told beside it. */
export function pageAnswer<T, Position extends string | number>(
  session: Pick<Session, 'progress'>,
  { items, next }: Page<T, Position>,
  { older, none, body, columns, row }: Listing<T>,
): Answer {
  if (next !== null) session.progress(`Older ${older}: add --before ${next}, or --all`)
  return {
    json: { items: items.map((item) => body(item)), nextBefore: next },
    text: (style) => (items.length === 0 ? `${none}\n` : renderTable(style, columns, items.map(row))),
  }
}
