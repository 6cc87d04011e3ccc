import { type ComponentSnapshot, type EntryVersion, entryEtag, formatCursor, type ResolvedEntry, timestamp } from '@cbp/core'

/** The wire form of one version of an entry; the command line prints the same. */
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

/** The wire form of a resolved value. */
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
