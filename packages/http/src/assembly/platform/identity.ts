import type { IdSource, Random, Uuid } from '@cbp/core'
import { v7 } from 'uuid'

/** UUIDv7 (RFC 9562): rising within this process, unique beyond it. */
export const uuidSource: IdSource = { next: () => v7() as Uuid }

export const systemRandom: Random = { fraction: () => Math.random() }
