import type { CancelSignal } from '../kernel/cancel.ts'
import { unitOfWork, zeroRevision } from '../kernel/unit-of-work.ts'
import type { Ports } from '../ports.ts'
import type { Transaction } from '../transaction.ts'
import { changeFeed, type FeedLimits } from './change-feed.ts'
import type { Cursor } from './changes.ts'
import { type DiffVersions, diffVersions, type GetVersion, getVersion, type ListVersions, listVersions } from './entry-history.ts'
import { type GetConfig, getConfig } from './get-config.ts'
import { type GetEntry, getEntry } from './get-entry.ts'
import { type GetSnapshot, getSnapshot } from './get-snapshot.ts'
import { type ListComponents, listComponents } from './list-components.ts'
import { type PutConfig, putConfig } from './put-config.ts'
import { type ReadTunable, readTunable } from './read-tunable.ts'
import { resolvedConfig } from './resolved-config.ts'
import { type RollbackConfig, rollbackConfig } from './rollback-config.ts'
import { type UnsetConfig, unsetConfig } from './unset-config.ts'
import { type WatchConfig, watchConfig } from './watch-config.ts'
import { witnessedStore } from './witnessed-store.ts'
import type { WriteDependencies } from './write-entry.ts'

/** Every use case of the configuration context. */
export type ConfigService = Readonly<{
  put: PutConfig
  unset: UnsetConfig
  rollback: RollbackConfig
  /** The value that counts, inheritance included. */
  get: GetConfig
  /** The entry at exactly one address. */
  entry: GetEntry
  snapshot: GetSnapshot
  components: ListComponents
  versions: ListVersions
  version: GetVersion
  diff: DiffVersions
  watch: WatchConfig
  /** A setting of the service itself. */
  tunable: ReadTunable
  /** How far this instance follows the store; `null` while `followChanges` does not run. */
  followed: () => Cursor | null
  /** Background work of an instance: makes reads cacheable and watches quick. Runs until cancelled. */
  followChanges: (cancel: CancelSignal) => Promise<void>
}>

export type ConfigLimits = Readonly<{
  feed: FeedLimits
  /** Units in one answer to a watcher. */
  watchBatch: number
}>

export function configService(ports: Ports, limits: ConfigLimits): ConfigService {
  const { configStore, configCache: cache, digest, random, clock, ids, signals, log, transactions } = ports
  const resolved = resolvedConfig({ store: configStore, cache, digest, random, followedEpoch: () => feed.position()?.epoch ?? null })
  const feed = changeFeed({
    store: configStore,
    clock,
    signals,
    log,
    limits: limits.feed,
    listener: {
      onUnit: ({ revision, changes }) => {
        for (const change of changes) resolved.raiseFloor(change, revision)
      },
      onJump: (revision, isNewEpoch) => {
        if (isNewEpoch) resolved.beginAnew(revision)
        else resolved.raiseAllFloors(revision)
      },
    },
  })
  // What the feed has followed has raised its floors already.
  const store = witnessedStore(configStore, (revision) => {
    if (revision > (feed.position()?.revision ?? zeroRevision)) resolved.raiseAllFloors(revision)
  })
  const writing: WriteDependencies = {
    unitOfWork: unitOfWork<Transaction>({ transactions, ids, clock, random, signals }),
    ids,
    clock,
    digest,
    onShown: (at, revision) => resolved.raiseFloor(at, revision),
  }
  const get = getConfig({ resolved, store, digest })
  return {
    put: putConfig(writing),
    unset: unsetConfig(writing),
    rollback: rollbackConfig(writing),
    get,
    entry: getEntry(store),
    snapshot: getSnapshot({ store, digest }),
    components: listComponents(store),
    versions: listVersions(store),
    version: getVersion(store),
    diff: diffVersions(store),
    watch: watchConfig({ feed, store, clock, batchLimit: limits.watchBatch }),
    tunable: readTunable(get, log),
    followed: feed.position,
    followChanges: feed.run,
  }
}
