import type { IdSource, Random, Uuid } from '@cbp/core'
import { v7 } from 'uuid'

/** UUIDv7 (RFC 9562): rising within this process, unique beyond it. */
export const uuidSource: IdSource = risingUuids()

export const systemRandom: Random = { fraction: () => Math.random() }

/** A draw of random bytes for each id would cost more than the rest of it, so that many share one. */
function risingUuids(): IdSource {
  const pool = new Uint8Array(16 * 256)
  let used = pool.length
  let msecs = 0
  let seq = 0
  return {
    next() {
      if (used === pool.length) {
        crypto.getRandomValues(pool)
        used = 0
      }
      const random = pool.subarray(used, used + 16)
      used += 16
      const now = Date.now()
      // The library counts only where it also draws. As it does: 31 random bits, raised by one within a millisecond.
      const isNewer = now > msecs
      seq = isNewer ? new DataView(random.buffer, random.byteOffset).getUint32(6) >>> 1 : (seq + 1) | 0
      msecs = isNewer ? now : msecs + Number(seq === 0)
      return v7({ random, msecs, seq }) as Uuid
    },
  }
}
