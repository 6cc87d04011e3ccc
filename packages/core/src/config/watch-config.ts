import { err, ok, type Result, type ResultAsync } from 'neverthrow'
import type { Clock } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { ChangeFeed, FeedWaiter } from './change-feed.ts'
import {
  type Cursor,
  type CursorGone,
  formatCursor,
  type InvalidCursor,
  placeCursor,
  type UnitChanges,
  type WatchSelection,
} from './changes.ts'
import type { ConfigStore } from './ports/config-store.ts'

/** What a watcher hears; `cursor` is where it stands afterwards. Without units it is a heartbeat: everything up to `cursor` was sent. */
export type WatchBatch = Readonly<{ units: readonly UnitChanges[]; cursor: Cursor }>

/** One watcher's place in the history (L6). One call of `next` at a time. */
export interface ConfigWatch {
  /** The next units, as soon as there are any; a heartbeat after `waitMs` without. */
  next(waitMs: number): Promise<Result<WatchBatch, CursorGone | StoreUnavailable>>
  /** Ends a pending `next` with a heartbeat, and every later one at once. */
  close(): void
  cursor(): Cursor
}

/** Opens a watch after the cursor `since`, or after the head when it is `null`. */
export type WatchConfig = (
  selection: WatchSelection,
  since: string | null,
) => ResultAsync<ConfigWatch, InvalidCursor | CursorGone | StoreUnavailable>

type Dependencies = Readonly<{
  feed: ChangeFeed
  store: ConfigStore
  clock: Clock
  /** Units in one answer of `next`. */
  batchLimit: number
}>

/** How often a watch reads the store itself where no feed runs, as in a short-lived program. */
const unfollowedPollMs = 200

export function watchConfig(deps: Dependencies): WatchConfig {
  return (selection, since) =>
    deps.store
      .head()
      .andThen((head) => (since === null ? ok(head) : placeCursor(since, head)))
      .map((start) => openWatch(deps, selection, start))
}

function openWatch(deps: Dependencies, selection: WatchSelection, start: Cursor): ConfigWatch {
  let cursor = start
  let closed = false
  let waiter: FeedWaiter | null = null

  const moveTo = (revision: Cursor['revision']): void => {
    if (revision > cursor.revision) cursor = { epoch: cursor.epoch, revision }
  }

  /** What there is now, or `null` when there is nothing new. */
  const look = async (): Promise<Result<WatchBatch | null, CursorGone | StoreUnavailable>> => {
    const position = deps.feed.position()
    if (position !== null && position.epoch !== cursor.epoch) return gone(cursor, position)
    const recent = deps.feed.recent(cursor.revision, selection, deps.batchLimit)
    if (recent !== null && position !== null) {
      const isCut = recent.length === deps.batchLimit
      moveTo(isCut ? (recent.at(-1) as UnitChanges).revision : position.revision)
      return ok(recent.length === 0 ? null : { units: recent, cursor })
    }
    const head = await deps.store.head()
    if (head.isErr()) return err(head.error)
    if (head.value.epoch !== cursor.epoch || head.value.revision < cursor.revision) return gone(cursor, head.value)
    // A page may hold nothing that is wanted; only at the head is there really nothing.
    do {
      const read = await deps.store.changes(cursor.revision, selection, deps.batchLimit)
      if (read.isErr()) return err(read.error)
      moveTo(read.value.through)
      if (read.value.units.length > 0) return ok({ units: read.value.units, cursor })
    } while (cursor.revision < head.value.revision)
    return ok(null)
  }

  return {
    async next(waitMs) {
      const until = deps.clock.now() + waitMs
      for (;;) {
        const found = await look()
        if (found.isErr()) return err(found.error)
        if (found.value !== null) return ok(found.value)
        const remaining = until - deps.clock.now()
        if (closed || remaining <= 0) return ok({ units: [], cursor })
        const position = deps.feed.position()
        // The feed may have moved on while this watch looked: nobody will wake it for that.
        if (position !== null && (position.revision > cursor.revision || position.epoch !== cursor.epoch)) continue
        waiter = deps.feed.wait(selection, until)
        await (position !== null ? waiter.done : Promise.race([waiter.done, deps.clock.sleep(Math.min(remaining, unfollowedPollMs))]))
        waiter.release()
        waiter = null
      }
    },
    close() {
      closed = true
      waiter?.release()
    },
    cursor: () => cursor,
  }
}

function gone(cursor: Cursor, head: Cursor): Result<never, CursorGone> {
  return err({ kind: 'cursor-gone', cursor: formatCursor(cursor), head })
}
