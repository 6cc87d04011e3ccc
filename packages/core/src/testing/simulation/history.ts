import type { Address, Cursor, EntryVersion, Precondition, UnitChanges, WatchSelection } from '../../config/index.ts'
import type { JsonValue } from '../../kernel/json.ts'
import type { Revision } from '../../kernel/unit-of-work.ts'

/** One call of a writer. Its token is the reason of the version it makes, and so finds it again. */
export type WriteRecord = {
  readonly token: string
  readonly at: Address
  readonly precondition: Precondition
  outcome:
    | Readonly<{ kind: 'acknowledged'; version: EntryVersion }>
    /** The service said that nothing was written. */
    | Readonly<{ kind: 'refused' }>
    /** No answer, or one that leaves the outcome open. */
    | Readonly<{ kind: 'unknown' }>
}

export type SnapshotRecord = Readonly<{
  component: Address['component']
  scope: Address['scope']
  revision: Revision
  values: ReadonlyMap<string, JsonValue>
}>

export type ReadRecord = Readonly<{ at: Address; revision: Revision; value: JsonValue }>

/** What one watcher heard from its start on, over all its connections. */
export type WatchRecord = {
  readonly name: string
  readonly selection: WatchSelection
  readonly start: Cursor
  readonly units: UnitChanges[]
  cursor: Cursor
}

export type Violation = Readonly<{ law: string; detail: string }>

/** Everything that the clients of one world saw. */
export type History = Readonly<{
  writes: WriteRecord[]
  reads: ReadRecord[]
  snapshots: SnapshotRecord[]
  watches: WatchRecord[]
  violations: Violation[]
}>

export function emptyHistory(): History {
  return { writes: [], reads: [], snapshots: [], watches: [], violations: [] }
}
