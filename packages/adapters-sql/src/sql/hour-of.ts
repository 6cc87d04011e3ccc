import type { Instant } from '@cbp/core'

/** The hour since 1970 that an instant is in. */
export function hourOf(instant: Instant): number {
  return Math.floor(instant / 3_600_000)
}
