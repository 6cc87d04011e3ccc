import { errAsync, okAsync, ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import { diffJson, type JsonDifference } from '../kernel/json.ts'
import { type Page, pageOf } from '../kernel/page.ts'
import type { Address } from './address.ts'
import { type EntryNotFound, type EntryVersion, entryNotFound, isLive, type VersionNumber } from './entry.ts'
import type { ConfigStore } from './ports/config-store.ts'

export type VersionNotFound = Readonly<{ kind: 'version-not-found'; version: VersionNumber }> & Address

/** All versions at an address, newest first, tombstones included. */
export type ListVersions = (
  at: Address,
  page: Readonly<{ before: VersionNumber | null; limit: number }>,
) => ResultAsync<Page<EntryVersion, VersionNumber>, EntryNotFound | StoreUnavailable>

export function listVersions(store: ConfigStore): ListVersions {
  return (at, { before, limit }) =>
    store.history(at, before, limit + 1).andThen((versions) => {
      if (versions.length === 0 && before === null) return errAsync<Page<EntryVersion, VersionNumber>, EntryNotFound>(entryNotFound(at))
      return okAsync<Page<EntryVersion, VersionNumber>, EntryNotFound>(pageOf(versions, limit, ({ version }) => version))
    })
}

export type GetVersion = (at: Address, version: VersionNumber) => ResultAsync<EntryVersion, VersionNotFound | StoreUnavailable>

export function getVersion(store: ConfigStore): GetVersion {
  return (at, number) =>
    store.version(at, number).andThen((version) => {
      if (version !== null) return okAsync<EntryVersion, VersionNotFound>(version)
      const { component, key, scope } = at
      return errAsync<EntryVersion, VersionNotFound>({ kind: 'version-not-found', version: number, component, key, scope })
    })
}

export type VersionDiff = Readonly<{ from: EntryVersion; to: EntryVersion; differences: readonly JsonDifference[] }>

/** What changed between two versions; a tombstone holds nothing. */
export type DiffVersions = (
  at: Address,
  from: VersionNumber,
  to: VersionNumber,
) => ResultAsync<VersionDiff, VersionNotFound | StoreUnavailable>

export function diffVersions(store: ConfigStore): DiffVersions {
  const get = getVersion(store)
  return (at, from, to) =>
    ResultAsync.combine([get(at, from), get(at, to)] as const).map(([before, after]) => ({
      from: before,
      to: after,
      differences: diffJson(contentOf(before), contentOf(after)),
    }))
}

function contentOf(version: EntryVersion): EntryVersion['value'] | undefined {
  return isLive(version) ? version.value : undefined
}
