import type { Clock, Instant } from '../../kernel/clock.ts'
import type { CacheRecord, ConfigCache } from '../ports/config-cache.ts'

/** Forgets a record at its time to live, and nothing before. */
export function fakeConfigCache(clock: Pick<Clock, 'now'>): ConfigCache {
  const records = new Map<string, Readonly<{ record: CacheRecord; until: Instant }>>()
  const current = (name: string): CacheRecord | null => {
    const held = records.get(name)
    return held !== undefined && held.until > clock.now() ? held.record : null
  }
  return {
    read: async (name) => current(name),
    async write(name, record, ttlMs) {
      const held = current(name)
      if (held === null || held.stamp < record.stamp) records.set(name, { record, until: clock.now() + ttlMs })
    },
  }
}
