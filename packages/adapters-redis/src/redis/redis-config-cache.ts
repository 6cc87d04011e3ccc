import type { CacheRecord, ConfigCache } from '@cbp/core'
import type { FarCache } from '../in-process/near-cache.ts'
import { decodeRecord, encodeRecord } from './cache-record.ts'
import { away, type RedisConnection } from './redis-connection.ts'

/** Resolved entries in Redis, shared by all instances that are given the same namespace. */
export function redisConfigCache(connection: RedisConnection, namespace = 'cbp'): ConfigCache & FarCache {
  // The 1 is the version of the format: instances that speak another one keep apart. The braces make the name the hash tag.
  const keyOf = (name: string): string => `${namespace}:config1:{${name}}`

  const decoded = (key: string, text: string | null): CacheRecord | null => {
    if (text === null) return null
    const record = decodeRecord(text)
    // Left where it is, its stamp might keep good records out.
    if (record === null) connection.drop(key)
    return record
  }

  const keep: FarCache['keep'] = async (name, record, ttlMs) => {
    const kept = await connection.script('keepNewer', keyOf(name), [encodeRecord(record), ttlMs])
    return kept === 1 ? 'kept' : kept === 0 ? 'refused' : 'away'
  }

  return {
    async read(name) {
      const key = keyOf(name)
      const text = await connection.get(key)
      return text === away ? null : decoded(key, text)
    },
    async readWithTimeLeft(name) {
      const key = keyOf(name)
      const found = await connection.script('readWithTimeLeft', key, [])
      if (!Array.isArray(found)) return null
      const [text, leftMs] = found as unknown as readonly [string | null, number]
      const record = decoded(key, text)
      return record === null || leftMs <= 0 ? null : { record, leftMs }
    },
    keep,
    async write(name, record, ttlMs) {
      await keep(name, record, ttlMs)
    },
  }
}
