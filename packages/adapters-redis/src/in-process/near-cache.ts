import type { CacheRecord, Clock, ConfigCache, Instant } from '@cbp/core'
import { LRUCache } from 'lru-cache'
import { defaultMaxBytes, sizeOf } from './record-size.ts'

/** What a near cache has to know of the one behind it. */
export interface FarCache {
  readWithTimeLeft(name: string): Promise<Readonly<{ record: CacheRecord; leftMs: number }> | null>
  /** Keeps a newer record; tells whether one that is at least as new was there already, or nobody answered. */
  keep(name: string, record: CacheRecord, ttlMs: number): Promise<'kept' | 'refused' | 'away'>
}

export type NearCacheOptions = Readonly<{
  clock: Pick<Clock, 'now'>
  /** How many records are kept here at most. */
  capacity: number
  /** About how much memory they take at most; 64 MiB when not told. */
  maxBytes?: number
  /** How long a record is served from here before the cache behind is asked again. */
  ttlMs: number
}>

type Kept = Readonly<{ record: CacheRecord; from: Instant; until: Instant }>

/**
 * Keeps the most used records of a shared cache in this process. A record that is served from here left the shared cache
 * at most `ttlMs` ago and is never served beyond its own time to live. That bounds by how much more than the shared cache
 * this one may lag behind other instances; what this instance has shown or heard of is guarded by the floors of its reader.
 */
export function nearCache(far: FarCache, { clock, capacity, maxBytes = defaultMaxBytes, ttlMs: nearTtlMs }: NearCacheOptions): ConfigCache {
  const near = new LRUCache<string, Kept>({ max: capacity, maxSize: maxBytes })

  const put = (name: string, record: CacheRecord, from: Instant, until: Instant): void => {
    const kept = near.peek(name)
    // A slow read must not bring back what a write has replaced meanwhile.
    if (kept !== undefined && counts(kept, clock.now()) && kept.record.stamp > record.stamp) return
    near.set(name, { record, from, until }, { size: sizeOf(name, record) })
  }

  return {
    async read(name) {
      const now = clock.now()
      const kept = near.get(name)
      if (kept !== undefined && counts(kept, now)) return kept.record
      const found = await far.readWithTimeLeft(name)
      if (found === null) return null
      put(name, found.record, now, now + Math.min(found.leftMs, nearTtlMs))
      return found.record
    },
    async write(name, record, ttlMs) {
      const now = clock.now()
      const outcome = await far.keep(name, record, ttlMs)
      // Refused: what is there is newer, or as new but with less time left. Either way it is to be read again.
      if (outcome === 'refused') near.delete(name)
      else put(name, record, now, now + Math.min(ttlMs, nearTtlMs))
    },
  }
}

/** A clock that was set back tells nothing about how old a record is. */
function counts({ from, until }: Kept, now: Instant): boolean {
  return from <= now && now < until
}
