import type { CancelSignal } from './cancel.ts'

/** A UTC instant in whole milliseconds since the Unix epoch. */
export type Instant = number

/** Port: the only source of time. */
export interface Clock {
  now(): Instant
  /** Resolves after `ms` milliseconds, or at once when `cancel` fires; never rejects. */
  sleep(ms: number, cancel?: CancelSignal): Promise<void>
}

/** An instant as the wire has it: RFC 3339, UTC, milliseconds. */
export function timestamp(instant: Instant): string {
  return new Date(instant).toISOString()
}
