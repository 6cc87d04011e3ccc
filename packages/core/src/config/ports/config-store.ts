import type { ResultAsync } from 'neverthrow'
import type { Instant } from '../../kernel/clock.ts'
import type { StoreUnavailable } from '../../kernel/failures.ts'
import type { Revision } from '../../kernel/unit-of-work.ts'
import type { Address, Component, ConfigKey, Scope } from '../address.ts'
import type { UnitChanges, WatchSelection } from '../changes.ts'
import type { EntryVersion, VersionDraft, VersionNumber } from '../entry.ts'

/** Where the store is. */
export type Head = Readonly<{
  /** Lower-case letters and digits; another one after a restore or a forced failover. */
  epoch: string
  revision: Revision
}>

/** Versions as they stood at `revision`. */
export type VersionsAt = Readonly<{ revision: Revision; versions: readonly EntryVersion[] }>

export type ComponentSummary = Readonly<{
  component: Component
  /** Entries that hold a value at some scope. */
  entries: number
  /** The newest revision that changed the component. */
  revision: Revision
}>

/** The units after some revision, as far as they were read. */
export type ChangesAfter = Readonly<{
  /** Ascending; only units with a change that the selection takes, each with its changes in the order in which they were recorded. */
  units: readonly UnitChanges[]
  /** Every matching unit up to here is in `units`. */
  through: Revision
}>

/**
 * Port: committed configuration. Versions are never updated or removed.
 *
 * L1: every read sees exactly the units 1..r of one revision r, and r is not below that of any unit
 * whose commit was answered before the read began. `asOf: null` means the head; no other `asOf` is beyond it.
 */
export interface ConfigStore {
  head(): ResultAsync<Head, StoreUnavailable>
  /** The revision of the newest unit recorded at or before `instant`; 0 when there is none. */
  revisionAt(instant: Instant): ResultAsync<Revision, StoreUnavailable>
  /** The newest version at each of `scopes` that has one, tombstones included, in the order of `scopes`. */
  chain(component: Component, key: ConfigKey, scopes: readonly Scope[], asOf: Revision | null): ResultAsync<VersionsAt, StoreUnavailable>
  /** The newest version of each key at each of `scopes`, tombstones included, by key and then in the order of `scopes`. */
  snapshot(component: Component, scopes: readonly Scope[], asOf: Revision | null): ResultAsync<VersionsAt, StoreUnavailable>
  version(at: Address, version: VersionNumber): ResultAsync<EntryVersion | null, StoreUnavailable>
  /** Newest first, at most `limit`, all below `before` where it is given. */
  history(at: Address, before: VersionNumber | null, limit: number): ResultAsync<readonly EntryVersion[], StoreUnavailable>
  /** Every component ever written, by name, at most `limit`, all after `after` where it is given. */
  components(after: string | null, limit: number): ResultAsync<readonly ComponentSummary[], StoreUnavailable>
  /** Reads about `limit` changes onwards from `after`, whole units only, and at least one unit where there is one. */
  changes(after: Revision, selection: WatchSelection, limit: number): ResultAsync<ChangesAfter, StoreUnavailable>
}

/** Configuration inside a unit of work. */
export interface ConfigTransaction {
  /** The newest version, tombstones included; its address stays as read until the unit ends, or the unit is contended. */
  newest(at: Address): ResultAsync<EntryVersion | null, StoreUnavailable>
  version(at: Address, version: VersionNumber): ResultAsync<EntryVersion | null, StoreUnavailable>
  /** Records one version; at most one for each address in a unit. A version number already taken makes the unit contended. */
  append(draft: VersionDraft): void
}
