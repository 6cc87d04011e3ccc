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
  type Floor = { component: Component; key: ConfigKey; at: Revision }
  // By the time of the last rise.
  const own = new Set<Floor>()
  // Nested, because every read looks here, and joining two names costs more than looking up both.
  const byComponent = new Map<Component, Map<ConfigKey, Floor>>()
  let common = zeroRevision

  const forget = (floor: Floor): void => {
    own.delete(floor)
    const keys = byComponent.get(floor.component)
    keys?.delete(floor.key)
    if (keys?.size === 0) byComponent.delete(floor.component)
  }
  const begin = (component: Component, key: ConfigKey, at: Revision): Floor => {
    const floor = { component, key, at }
    const keys = byComponent.get(component)
    if (keys === undefined) byComponent.set(component, new Map([[key, floor]]))
    else keys.set(key, floor)
    return floor
  }

  return {
    of(component, key) {
      const floor = byComponent.get(component)?.get(key)
      return floor !== undefined && floor.at > common ? floor.at : common
    },
    raise(component, key, to) {
      const before = byComponent.get(component)?.get(key)
      if (to <= (before?.at ?? common)) return
      const floor = before ?? begin(component, key, to)
      floor.at = to
      own.delete(floor)
      own.add(floor)
      if (own.size <= capacity) return
      for (const oldest of own) {
        forget(oldest)
        if (oldest.at > common) common = oldest.at
        return
      }
    },
    raiseAll(to) {
      if (to > common) common = to
    },
    reset(at) {
      own.clear()
      byComponent.clear()
      common = at
    },
  }
}
