import { type Revision, zeroRevision } from '../kernel/unit-of-work.ts'
import type { Component, ConfigKey } from './address.ts'

/**
 * For each setting the revision below which this instance must not serve it any more (L7).
 * Bounded: a forgotten floor is folded into the one that counts for all, which only costs extra reads of the store.
 */
export interface Floors {
  of(component: Component, key: ConfigKey): Revision
  raise(component: Component, key: ConfigKey, to: Revision): void
  raiseAll(to: Revision): void
  /** Begins anew at `at`, in a history that is not the one known so far. */
  reset(at: Revision): void
}

export function floors(capacity: number): Floors {
  const own = new Map<string, Revision>()
  let common = zeroRevision
  return {
    of(component, key) {
      const floor = own.get(`${component}/${key}`)
      return floor !== undefined && floor > common ? floor : common
    },
    raise(component, key, to) {
      const name = `${component}/${key}`
      if (to <= (own.get(name) ?? common)) return
      // Re-inserted, so that the map's order is by the time of the last rise.
      own.delete(name)
      own.set(name, to)
      if (own.size <= capacity) return
      for (const [oldest, floor] of own) {
        own.delete(oldest)
        if (floor > common) common = floor
        return
      }
    },
    raiseAll(to) {
      if (to > common) common = to
    },
    reset(at) {
      own.clear()
      common = at
    },
  }
}
