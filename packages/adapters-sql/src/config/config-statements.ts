import type { Dialect } from '../sql/engine.ts'
import { versionColumns } from './version-rows.ts'

/** What reads configuration; portable but for the dialect. */
export type ConfigStatements = Readonly<{
  head: string
  revisionAt: string
  chain: string
  chainAsOf: string
  snapshot: string
  snapshotAsOf: string
  version: string
  history: string
  components: string
  changesThrough: string
  changes: (filtered: Readonly<{ component: boolean; scopes: boolean }>) => string
}>

const newestVersion = 'SELECT MAX(newer.version) FROM versions newer WHERE newer.entry_id = e.entry_id'

/** Positions rise with revisions and stand in the index on (entry_id, version), so that no other version is read. */
const newestVersionAsOf = `${newestVersion} AND newer.position <= (
  SELECT MAX(bound.position) FROM versions bound WHERE bound.revision = (
    SELECT MAX(unit.revision) FROM versions unit WHERE unit.revision <= @asOf))`

const atAddress = 'e.component = @component AND e.scope = @scope AND e.[key] = @key'

export function configStatements(dialect: Dialect): ConfigStatements {
  // CROSS JOIN, because SQLite keeps to its order: the scopes, which are few, come first.
  const atScopes = (versionNumber: string, where: string, order: string): string => `
    SELECT e.[key], e.scope, ${versionColumns}
    FROM ${dialect.list('@scopes')} s CROSS JOIN entries e CROSS JOIN versions v
    WHERE e.component = @component AND e.scope = s.item${where}
      AND v.entry_id = e.entry_id AND v.version = (${versionNumber})
    ORDER BY ${order}`
  const ofOneKey = ' AND e.[key] = @key'
  const through = `COALESCE((
    SELECT CASE WHEN beyond.revision - 1 > @after THEN beyond.revision - 1 ELSE @after + 1 END
    FROM (SELECT revision FROM versions WHERE revision > @after ORDER BY revision ${dialect.rowAfter('@limit')}) beyond
  ), (SELECT revision FROM store_head))`
  return {
    head: 'SELECT epoch, revision FROM store_head',
    revisionAt: `SELECT revision FROM versions WHERE recorded_at <= @instant
      ORDER BY recorded_at DESC, revision DESC ${dialect.limit('1')}`,
    chain: atScopes(newestVersion, ofOneKey, 's.position'),
    chainAsOf: atScopes(newestVersionAsOf, ofOneKey, 's.position'),
    snapshot: atScopes(newestVersion, '', 'e.[key], s.position'),
    snapshotAsOf: atScopes(newestVersionAsOf, '', 'e.[key], s.position'),
    version: `SELECT ${versionColumns} FROM entries e JOIN versions v ON v.entry_id = e.entry_id
      WHERE ${atAddress} AND v.version = @version`,
    history: `SELECT ${versionColumns} FROM entries e JOIN versions v ON v.entry_id = e.entry_id
      WHERE ${atAddress} AND v.version < @before ORDER BY v.version DESC ${dialect.limit('@limit')}`,
    components: `SELECT component, entries, revision FROM component_totals
      WHERE component > @after ORDER BY component ${dialect.limit('@limit')}`,
    changesThrough: `SELECT ${through} AS through`,
    changes: ({ component, scopes }) => `
      SELECT e.component, e.[key], e.scope, v.version, v.revision, v.op
      FROM versions v CROSS JOIN entries e
      WHERE e.entry_id = v.entry_id AND v.revision > @after AND v.revision <= ${through}
      ${component ? 'AND e.component = @component' : ''}
      ${scopes ? `AND e.scope IN (SELECT s.item FROM ${dialect.list('@scopes')} s)` : ''}
      ORDER BY v.revision, v.position`,
  }
}
