import type { Address, Component, ConfigKey, EntryVersion, Scope, UnitChanges } from '../../config/index.ts'
import type { Sequence, SequencedEvent, Stream, StreamBlock } from '../../events/index.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { type Commit, type Revision, type UnitId, zeroRevision } from '../../kernel/unit-of-work.ts'
import { emptyRecordTables, type RecordTables } from './record-tables.ts'

/** The versions at one address, oldest first: version `n` is at `n - 1`. */
export type Versions = EntryVersion[]

export type ComponentRow = { readonly keys: Map<ConfigKey, Map<Scope, Versions>>; revision: Revision }

export type StreamRow = {
  readonly stream: Stream
  /** Sequence `n` is at `n - 1`. */
  readonly events: SequencedEvent[]
  confirmed: Sequence
  refusals: number
  retryAt: Instant
  blocked: StreamBlock | null
  fence: number
  /** `null`: never leased, or given back. */
  leasedUntil: Instant | null
}

/** All that the store holds. History only grows, so that a commit touches no more than what it writes. */
export type Tables = {
  readonly clock: Pick<Clock, 'now'>
  readonly epoch: string
  readonly components: Map<Component, ComponentRow>
  /** The unit of revision `n` is at `n - 1`, here and in `recordedAt`. */
  readonly units: UnitChanges[]
  readonly recordedAt: Instant[]
  newestInstant: Instant
  /** `null`: void, and never to commit. */
  readonly commits: Map<UnitId, Commit | null>
  readonly streams: Map<Stream, StreamRow>
  /** The streams with events that are not confirmed, the one that has waited longest first. */
  readonly waiting: Set<StreamRow>
  readonly records: RecordTables
}

export function emptyTables(clock: Pick<Clock, 'now'>, epoch: string): Tables {
  return {
    clock,
    epoch,
    components: new Map(),
    units: [],
    recordedAt: [],
    newestInstant: 0,
    commits: new Map(),
    streams: new Map(),
    waiting: new Set(),
    records: emptyRecordTables(),
  }
}

export function headRevision(tables: Tables): Revision {
  return tables.units.at(-1)?.revision ?? zeroRevision
}

export function versionsAt(tables: Tables, { component, key, scope }: Address): readonly EntryVersion[] {
  return tables.components.get(component)?.keys.get(key)?.get(scope) ?? []
}

export function newestAsOf(versions: readonly EntryVersion[], asOf: Revision): EntryVersion | null {
  return versions.findLast(({ revision }) => revision <= asOf) ?? null
}
