import type { CacheRecord, ResolvedEntry, Revision } from '@cbp/core'

const stampDigits = 16

/** The stamp in front, in digits that the server can compare without parsing the rest. */
export function encodeRecord({ stamp, revision, entry }: CacheRecord): string {
  return `${String(stamp).padStart(stampDigits, '0')}${JSON.stringify({ revision, entry })}`
}

/** `null` for what is damaged or no record of ours. */
export function decodeRecord(text: string): CacheRecord | null {
  const stamp = Number(text.slice(0, stampDigits))
  if (!isRevision(stamp) || text.charCodeAt(stampDigits) !== 0x7b) return null
  try {
    const { revision, entry } = JSON.parse(text.slice(stampDigits)) as Partial<CacheRecord>
    return isRevision(revision) && (entry === null || isEntry(entry)) ? { stamp: stamp as Revision, revision, entry } : null
  } catch {
    return null
  }
}

function isRevision(value: unknown): value is Revision {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isEntry(entry: Partial<ResolvedEntry> | undefined): entry is ResolvedEntry {
  return (
    typeof entry === 'object' &&
    typeof entry.component === 'string' &&
    typeof entry.key === 'string' &&
    typeof entry.scope === 'string' &&
    entry.value !== undefined &&
    Number.isSafeInteger(entry.version) &&
    isRevision(entry.revision) &&
    Array.isArray(entry.provenance) &&
    (entry.entryEtag === null || typeof entry.entryEtag === 'string') &&
    typeof entry.etag === 'string'
  )
}
