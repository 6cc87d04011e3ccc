import type { CacheRecord, JsonValue } from '@cbp/core'

export const defaultMaxBytes: number = 64 * 1024 * 1024

/** Objects around a record, its ETags and the place that it takes in a cache. */
const overheadBytes = 1_000
const provenanceBytes = 150
const valueBytes = 16

/** About how much memory a record takes; rather too much than too little. */
export function sizeOf(name: string, { entry }: CacheRecord): number {
  const own = overheadBytes + 2 * name.length
  return entry === null ? own : own + provenanceBytes * entry.provenance.length + sizeOfValue(entry.value)
}

function sizeOfValue(value: JsonValue): number {
  if (typeof value === 'string') return valueBytes + 2 * value.length
  if (typeof value !== 'object' || value === null) return valueBytes
  let size = 2 * valueBytes
  if (Array.isArray(value)) for (const each of value as readonly JsonValue[]) size += sizeOfValue(each)
  else for (const [member, each] of Object.entries(value)) size += 2 * valueBytes + 2 * member.length + sizeOfValue(each as JsonValue)
  return size
}
