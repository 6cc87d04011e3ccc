import { type ComponentSnapshot, type EntryVersion, entryEtag, formatCursor, type ResolvedEntry, timestamp } from '@cbp/core'

/** One version of an entry, with the members that the HTTP interface gives it. */
export function entryBody(version: EntryVersion): Readonly<Record<string, unknown>> {
  return {
    component: version.component,
    key: version.key,
    scope: version.scope,
    value: version.value,
    version: version.version,
    revision: version.revision,
    op: version.op,
    etag: entryEtag(version),
    actor: version.actor,
    reason: version.reason,
    requestId: version.requestId,
    recordedAt: timestamp(version.recordedAt),
    restoredFrom: version.restoredFrom,
  }
}

/** A resolved value, with the members that the HTTP interface gives it. */
export function resolvedBody(entry: ResolvedEntry): Readonly<Record<string, unknown>> {
  return {
    component: entry.component,
    key: entry.key,
    scope: entry.scope,
    value: entry.value,
    version: entry.version,
    revision: entry.revision,
    provenance: entry.provenance,
    entryEtag: entry.entryEtag,
  }
}

export function snapshotBody(snapshot: ComponentSnapshot): Readonly<Record<string, unknown>> {
  return {
    component: snapshot.component,
    scope: snapshot.scope,
    revision: snapshot.revision,
    cursor: formatCursor(snapshot.cursor),
    entries: snapshot.entries.map(resolvedBody),
  }
}
