import type { CacheRecord, Clock, ConfigCache, Instant } from '@cbp/core'
import { LRUCache } from 'lru-cache'
import { defaultMaxBytes, sizeOf } from './record-size.ts'

export type InProcessConfigCacheOptions = Readonly<{
  /** How many records are kept; beyond it the one that was not read or written for the longest time is forgotten. */
  capacity: number
  /** About how much memory they take at most; 64 MiB when not told. */
  maxBytes?: number
  clock: Pick<Clock, 'now'>
}>

type Kept = Readonly<{ record: CacheRecord; from: Instant; until: Instant }>

/** Resolved entries in this process alone, bounded by number, memory and time. */
export function inProcessConfigCache({ capacity, maxBytes = defaultMaxBytes, clock }: InProcessConfigCacheOptions): ConfigCache {
  // The times to live of lru-cache run on a clock of its own, so that they are kept beside the records instead.
  const records = new LRUCache<string, Kept>({ max: capacity, maxSize: maxBytes })

  return {
    async read(name) {
      const kept = records.get(name)
      if (kept === undefined) return null
      if (counts(kept, clock.now())) return kept.record
      records.delete(name)
      return null
    },
    async write(name, record, ttlMs) {
      const now = clock.now()
      const kept = records.peek(name)
      if (kept !== undefined && counts(kept, now) && kept.record.stamp >= record.stamp) return
      records.set(name, { record, from: now, until: now + ttlMs }, { size: sizeOf(name, record) })
    },
  }
}

/** A clock that was set back tells nothing about how old a record is. */
function counts({ from, until }: Kept, now: Instant): boolean {
  return from <= now && now < until
}
