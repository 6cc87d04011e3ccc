import type { Page } from '@cbp/core'
import { err, ok, type Result, type ResultAsync } from 'neverthrow'
import type { CoreFailure } from './output/core-failures.ts'
import type { Failure } from './output/failure.ts'
import type { Session } from './session.ts'
import { settle } from './settle.ts'

const pageSize = 200

export type PageRequest<Position> = Readonly<{ start: Position | null; limit: number; all: boolean }>

/** One page of a list, or with `all` every page from there on. */
export async function readPages<T, Position, E extends CoreFailure>(
  session: Session,
  { start, limit, all }: PageRequest<Position>,
  read: (from: Position | null, limit: number) => ResultAsync<Page<T, Position>, E>,
): Promise<Result<Page<T, Position>, Failure>> {
  if (!all) return settle(session, read(start, limit))
  const items: T[] = []
  for (let from = start; ; ) {
    const page: Result<Page<T, Position>, Failure> = await settle(session, read(from, pageSize))
    if (page.isErr()) return err(page.error)
    items.push(...page.value.items)
    if (page.value.next === null) return ok({ items, next: null })
    from = page.value.next
  }
}
