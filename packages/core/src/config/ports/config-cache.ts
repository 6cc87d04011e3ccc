import type { Revision } from '../../kernel/unit-of-work.ts'
import type { ResolvedEntry } from '../resolved-entry.ts'

/** Value and ETag in one record, so that they can never disagree. */
export type CacheRecord = Readonly<{
  /** The revision of the store that the record was resolved at. */
  stamp: Revision
  /** The newest revision in the scope chain, tombstones included: the last change that shaped the record. */
  revision: Revision
  /** `null`: nothing resolves there. */
  entry: ResolvedEntry | null
}>

/**
 * Port: resolved entries kept near. It may forget at any time and may be shared between instances.
 * It fails soft: a cache that is slow or gone reads as empty and swallows writes.
 *
 * - `write` keeps a record only where it holds none or one with a lower stamp.
 * - A record is gone at the latest `ttlMs` after it was written.
 */
export interface ConfigCache {
  read(name: string): Promise<CacheRecord | null>
  write(name: string, record: CacheRecord, ttlMs: number): Promise<void>
}
