import type { Clock, Instant } from '../../kernel/clock.ts'
import type { Faults } from '../../kernel/testing/faults.ts'
import type { CacheRecord, ConfigCache } from '../ports/config-cache.ts'

/**
 * `forgotten`, `lost`: a read or a write as if the cache were gone. `slow`: late. `old`: a read answers a record that
 * was kept before and is not over yet, as after the loss of a node whose replica lags behind.
 */
export type ConfigCacheFault = 'forgotten' | 'lost' | 'slow' | 'old'

type Kept = Readonly<{ record: CacheRecord; until: Instant }>

const keptPerName = 4

export function faultyConfigCache(inner: ConfigCache, faults: Faults<ConfigCacheFault>, clock: Pick<Clock, 'now'>): ConfigCache {
  const earlier = new Map<string, readonly Kept[]>()
  return {
    async read(name) {
      const fault = faults.draw(['forgotten', 'slow', 'old'])
      if (fault === 'forgotten') return null
      if (fault === 'slow') await faults.delay()
      if (fault === 'old') return earlier.get(name)?.find(({ until }) => until > clock.now())?.record ?? null
      return inner.read(name)
    },
    async write(name, record, ttlMs) {
      const fault = faults.draw(['lost', 'slow'])
      if (fault === 'lost') return
      const until = clock.now() + ttlMs
      if (fault === 'slow') await faults.delay()
      earlier.set(name, [...(earlier.get(name) ?? []), { record, until }].slice(-keptPerName))
      await inner.write(name, record, ttlMs)
    },
  }
}
