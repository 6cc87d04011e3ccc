import type {
  ChangesAfter,
  Component,
  ComponentSummary,
  ConfigChange,
  ConfigKey,
  ConfigStore,
  EntryVersion,
  Head,
  Revision,
  Scope,
  StoreUnavailable,
  UnitChanges,
  VersionsAt,
  WatchSelection,
} from '@cbp/core'
import type { ResultAsync } from 'neverthrow'
import type { Rows, SqlEngine, SqlParameters, SqlRow } from '../sql/engine.ts'
import { configStatements } from './config-statements.ts'
import { versionFromRow } from './version-rows.ts'

/** Committed configuration over any SQL engine; each read is one round trip and one snapshot (L1). */
export function sqlConfigStore(engine: SqlEngine): ConfigStore {
  const sql = configStatements(engine.dialect)
  const noParameters: SqlParameters = {}
  const readHead = { sql: sql.head, parameters: noParameters }

  function one<T>(text: string, parameters: SqlParameters, shape: (rows: Rows) => T): ResultAsync<T, StoreUnavailable> {
    return engine.read([{ sql: text, parameters }], ([rows]) => shape(rows ?? []))
  }

  function versionsAt(text: string, parameters: SqlParameters, component: Component, asOf: Revision | null) {
    return engine.read(
      [readHead, { sql: text, parameters }],
      ([head, rows]): VersionsAt => ({
        revision: asOf ?? headOf(head).revision,
        versions: (rows ?? []).map((row) => versionFromRow({ component, ...keyAndScope(row) }, row)),
      }),
    )
  }

  return {
    head: () => one(sql.head, noParameters, headOf),
    revisionAt: (instant) => one(sql.revisionAt, { instant }, ([row]) => (row?.['revision'] ?? 0) as Revision),
    chain(component, key, scopes, asOf) {
      const parameters = { component, key, scopes: JSON.stringify(scopes) }
      return asOf === null
        ? versionsAt(sql.chain, parameters, component, null)
        : versionsAt(sql.chainAsOf, { ...parameters, asOf }, component, asOf)
    },
    snapshot(component, scopes, asOf) {
      const parameters = { component, scopes: JSON.stringify(scopes) }
      return asOf === null
        ? versionsAt(sql.snapshot, parameters, component, null)
        : versionsAt(sql.snapshotAsOf, { ...parameters, asOf }, component, asOf)
    },
    version: ({ component, key, scope }, version) =>
      one(sql.version, { component, key, scope, version }, ([row]): EntryVersion | null =>
        row === undefined ? null : versionFromRow({ component, key, scope }, row),
      ),
    history: ({ component, key, scope }, before, limit) =>
      one(sql.history, { component, key, scope, before: before ?? Number.MAX_SAFE_INTEGER, limit }, (rows) =>
        rows.map((row) => versionFromRow({ component, key, scope }, row)),
      ),
    components: (after, limit) => one(sql.components, { after: after ?? '', limit }, (rows) => rows.map(summaryOf)),
    changes: (after, selection, limit) => readChanges(engine, sql, after, selection, limit),
  }
}

function readChanges(
  engine: SqlEngine,
  sql: ReturnType<typeof configStatements>,
  after: Revision,
  { component, scopes }: WatchSelection,
  limit: number,
): ResultAsync<ChangesAfter, StoreUnavailable> {
  const range = { after, limit: Math.max(limit, 1) }
  const text = sql.changes({ component: component !== null, scopes: scopes !== null })
  const filter = {
    ...(component === null ? {} : { component }),
    ...(scopes === null ? {} : { scopes: JSON.stringify(scopes) }),
  }
  return engine.read(
    [
      { sql: sql.changesThrough, parameters: range },
      { sql: text, parameters: { ...range, ...filter } },
    ],
    ([through, rows]) => ({
      units: unitsOf(rows ?? []),
      through: Math.max(Number(through?.[0]?.['through'] ?? 0), after) as Revision,
    }),
  )
}

function headOf(rows: Rows | undefined): Head {
  const row = rows?.[0]
  if (row === undefined) throw new Error('the store has no head')
  return { epoch: row['epoch'] as string, revision: row['revision'] as Revision }
}

function keyAndScope(row: SqlRow): Readonly<{ key: ConfigKey; scope: Scope }> {
  return { key: row['key'] as ConfigKey, scope: row['scope'] as Scope }
}

function summaryOf(row: SqlRow): ComponentSummary {
  return {
    component: row['component'] as Component,
    entries: row['entries'] as number,
    revision: row['revision'] as Revision,
  }
}

/** Rows come by revision; the rows of one unit are next to each other. */
function unitsOf(rows: Rows): readonly UnitChanges[] {
  const units: { revision: Revision; changes: ConfigChange[] }[] = []
  for (const row of rows) {
    const revision = row['revision'] as Revision
    let unit = units.at(-1)
    if (unit === undefined || unit.revision !== revision) {
      unit = { revision, changes: [] }
      units.push(unit)
    }
    unit.changes.push({
      component: row['component'] as Component,
      version: row['version'] as number,
      op: row['op'] as ConfigChange['op'],
      ...keyAndScope(row),
    })
  }
  return units
}
