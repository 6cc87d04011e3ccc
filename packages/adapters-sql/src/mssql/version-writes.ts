import type { Address } from '@cbp/core'
import type { PreparedVersion } from '../sql/unit-values.ts'
import { binaryCollation } from './mssql-dialect.ts'
import { thrown } from './mssql-errors.ts'
import type { RowSource, RowSources, SourceColumn } from './row-sources.ts'

const addressColumns: readonly SourceColumn[] = [
  ['component', 'nvarchar(63)'],
  ['scope', 'nvarchar(256)'],
  ['key', 'nvarchar(128)'],
]

const draftColumns: readonly SourceColumn[] = [
  ...addressColumns,
  ['ordinal', 'bigint'],
  ['version', 'bigint'],
  ['op', 'nvarchar(6)'],
  ['value', 'nvarchar(max)'],
  ['hash', 'nvarchar(128)'],
  ['actor', 'nvarchar(max)'],
  ['reason', 'nvarchar(max)'],
  ['request_id', 'nvarchar(max)'],
  ['restored_from', 'bigint'],
]

function isAt(entry: string, draft: string): string {
  return ['component', 'scope', 'key'].map((name) => `${entry}.[${name}] = ${draft}.[${name}] ${binaryCollation}`).join(' AND ')
}

/** What can be found out before the head is locked: everything but the revision. */
const prepare = (drafts: RowSource): string => `
INSERT INTO entries (component, scope, [key]) SELECT j.component, j.scope, j.[key] FROM ${drafts('j')}
  WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE ${isAt('e', 'j')});
DECLARE @versions TABLE (ordinal bigint NOT NULL PRIMARY KEY, component nvarchar(63) ${binaryCollation} NOT NULL, entry_id bigint NOT NULL,
  version bigint NOT NULL, follows bigint NULL, added bigint NOT NULL, op nvarchar(6) NOT NULL, value nvarchar(max) NOT NULL,
  hash nvarchar(128) NOT NULL, actor nvarchar(max) NOT NULL, reason nvarchar(max) NOT NULL, request_id nvarchar(max) NOT NULL,
  restored_from bigint NULL);
INSERT INTO @versions (ordinal, component, entry_id, version, follows, added, op, value, hash, actor, reason, request_id, restored_from)
  SELECT j.ordinal, e.component, e.entry_id, j.version, p.version,
    CASE WHEN j.op = N'put' THEN 1 ELSE 0 END - CASE WHEN p.op = N'put' THEN 1 ELSE 0 END,
    j.op, j.value, j.hash, j.actor, j.reason, j.request_id, j.restored_from
  FROM ${drafts('j')} JOIN entries e ON ${isAt('e', 'j')}
  LEFT JOIN versions p WITH (READCOMMITTEDLOCK) ON p.entry_id = e.entry_id AND p.version = j.version - 1;
IF EXISTS (SELECT 1 FROM @versions WHERE version <> 1 AND follows IS NULL) THROW ${thrown.versionGap}, N'a version leaves a gap', 1;`

/** The row of the head is locked for the rest of the batch only: that makes revisions visible in their order (L1). */
const write = `
DECLARE @head TABLE (revision bigint NOT NULL, position bigint NOT NULL, recorded_at bigint NOT NULL);
UPDATE store_head SET revision = revision + 1, position = position + @count,
    recorded_at = CASE WHEN recorded_at > @now THEN recorded_at ELSE @now END
  OUTPUT inserted.revision, inserted.position, inserted.recorded_at INTO @head;
INSERT INTO versions
    (position, entry_id, version, revision, op, value, hash, actor, reason, request_id, restored_from, recorded_at)
  SELECT h.position - @count + d.ordinal, d.entry_id, d.version, h.revision, d.op, d.value, d.hash, d.actor, d.reason, d.request_id,
    d.restored_from, h.recorded_at
  FROM @versions d CROSS JOIN @head h;
UPDATE component_totals SET revision = j.revision, entries = component_totals.entries + j.added
  FROM (SELECT d.component, h.revision, SUM(d.added) AS added FROM @versions d CROSS JOIN @head h GROUP BY d.component, h.revision) j
  WHERE component_totals.component = j.component;
INSERT INTO component_totals (component, entries, revision)
  SELECT d.component, SUM(d.added), h.revision FROM @versions d CROSS JOIN @head h
  WHERE NOT EXISTS (SELECT 1 FROM component_totals t WHERE t.component = d.component) GROUP BY d.component, h.revision;
UPDATE units SET revision = h.revision, recorded_at = h.recorded_at FROM @head h WHERE units.unit = @unit;`

export type VersionWrites = Readonly<{ prepare: readonly string[]; write: readonly string[] }>

export function versionWrites(prepared: readonly PreparedVersion[], sources: RowSources): VersionWrites {
  if (prepared.length === 0) return { prepare: [], write: [] }
  const rows = prepared.map(({ draft, value }, index) => [
    draft.component,
    draft.scope,
    draft.key,
    index + 1,
    draft.version,
    draft.op,
    value,
    draft.hash,
    draft.actor,
    draft.reason,
    draft.requestId,
    draft.restoredFrom,
  ])
  return { prepare: [prepare(sources.add(draftColumns, rows))], write: [write] }
}

/** A condition: one of these addresses has an entry. */
export function anyEntry(addresses: readonly Address[], sources: RowSources): readonly string[] {
  if (addresses.length === 0) return []
  const rows = addresses.map(({ component, scope, key }) => [component, scope, key])
  const given = sources.add(addressColumns, rows)
  return [`EXISTS (SELECT 1 FROM ${given('j')} JOIN entries e WITH (HOLDLOCK, ROWLOCK) ON ${isAt('e', 'j')})`]
}
