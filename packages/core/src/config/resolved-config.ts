import { err, ok, type Result } from 'neverthrow'
import type { Digest } from '../kernel/digest.ts'
import { type StoreUnavailable, storeUnavailable } from '../kernel/failures.ts'
import type { Random } from '../kernel/random.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import { type Address, scopeChain } from './address.ts'
import { atMost } from './at-most.ts'
import { type Floors, floors } from './floors.ts'
import type { CacheRecord, ConfigCache } from './ports/config-cache.ts'
import type { ConfigStore } from './ports/config-store.ts'
import { recordNames } from './record-names.ts'
import { newestRevision } from './resolution.ts'
import { type ResolvedEntry, resolveEntry } from './resolved-entry.ts'
import { shippedDefault } from './shipped-defaults.ts'

type Dependencies = Readonly<{
  store: ConfigStore
  cache: ConfigCache
  digest: Digest
  random: Random
  /** The epoch followed by the change feed, or `null` while nobody follows changes: then every read goes to the store. */
  followedEpoch: () => string | null
}>

/** Resolved entries at the head, cache-aside (L7): newer-only records, single flight, a floor that is never served below. */
export interface ResolvedConfig {
  get(at: Address): Promise<Result<ResolvedEntry | null, StoreUnavailable>>
  /** Nothing older than `to` is served for this setting from now on. */
  raiseFloor(at: Pick<Address, 'component' | 'key'>, to: Revision): void
  raiseAllFloors(to: Revision): void
  /** Forgets all floors: the store holds another history from now on. */
  beginAnew(at: Revision): void
}

const floorCapacity = 10_000
const nameCapacity = 20_000
const timeToLiveMs = 60_000
const absentTimeToLiveMs = 5_000
/** Each turn is a read of the store; only a setting written all the time needs more than two. */
const turnLimit = 50
/** From this turn on no read is shared any more. */
const ownTurn = 3
/** How many reads of the store run at a time: while the cache is away, all the load it carried would arrive there at once. */
const simultaneousLoads = 16

export function resolvedConfig(deps: Dependencies): ResolvedConfig {
  const { cache, random } = deps
  const known: Floors = floors(floorCapacity)
  const flights = new Map<string, Promise<Result<CacheRecord, StoreUnavailable>>>()
  const inTurn = atMost(simultaneousLoads)
  const nameOf = recordNames(nameCapacity)

  const load = async (at: Address, name: string | null): Promise<Result<CacheRecord, StoreUnavailable>> => {
    const loaded = await inTurn(() => loadRecord(deps, at))
    if (loaded.isErr()) return err(loaded.error)
    const record = loaded.value
    known.raise(at.component, at.key, record.revision)
    if (name !== null) {
      const ttlMs = record.entry === null ? absentTimeToLiveMs : timeToLiveMs
      await cache.write(name, record, Math.ceil(ttlMs * (0.8 + 0.4 * random.fraction())))
    }
    return ok(record)
  }

  const joinFlight = (at: Address, name: string): Promise<Result<CacheRecord, StoreUnavailable>> => {
    const flying = flights.get(name)
    if (flying !== undefined) return flying
    const flight = load(at, name).finally(() => flights.delete(name))
    flights.set(name, flight)
    return flight
  }

  return {
    async get(at) {
      const epoch = deps.followedEpoch()
      const name = epoch === null ? null : nameOf(epoch, at)
      const cached = name === null ? null : await cache.read(name)
      if (cached !== null) {
        const floor = known.of(at.component, at.key)
        if (cached.revision > floor) known.raise(at.component, at.key, cached.revision)
        if (cached.stamp >= floor) return ok(cached.entry)
      }
      for (let turn = 1; turn <= turnLimit; turn += 1) {
        const floor = known.of(at.component, at.key)
        const isShared = name !== null && turn < ownTurn
        const loaded = await (isShared ? joinFlight(at, name) : load(at, name))
        if (loaded.isErr()) return err(loaded.error)
        // A read that began above its floor and ends below it has met another history: the store was restored.
        if (!isShared && loaded.value.stamp < floor) known.reset(loaded.value.stamp)
        if (loaded.value.stamp >= known.of(at.component, at.key)) return ok(loaded.value.entry)
      }
      return err(storeUnavailable('the setting changes faster than it can be read'))
    },
    raiseFloor(at, to) {
      known.raise(at.component, at.key, to)
    },
    raiseAllFloors(to) {
      known.raiseAll(to)
    },
    beginAnew(at) {
      known.reset(at)
    },
  }
}

async function loadRecord({ store, digest }: Dependencies, at: Address): Promise<Result<CacheRecord, StoreUnavailable>> {
  const read = await store.chain(at.component, at.key, scopeChain(at.scope), null)
  return read.map(({ revision: stamp, versions }) => ({
    stamp,
    revision: newestRevision(versions),
    entry: resolveEntry(digest, at, shippedDefault(at.component, at.key), versions),
  }))
}
