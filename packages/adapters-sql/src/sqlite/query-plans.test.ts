import { fakeRandom } from '@cbp/core/testing'
import { expect, it } from 'vitest'
import { clock } from '../../tests/plain-store.ts'
import { withPath } from '../../tests/temporary-store.ts'
import { configStatements } from '../config/config-statements.ts'
import { outboxStatements } from '../events/outbox-statements.ts'
import { openConnection } from './connection.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

const config = configStatements(sqliteDialect)
const outbox = outboxStatements(sqliteDialect)

const statements: readonly (readonly [name: string, sql: string])[] = [
  ...Object.entries(config).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  ...Object.entries(outbox).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  ['changes', config.changes({ component: false, scopes: false })],
  ['changes of a component', config.changes({ component: true, scopes: false })],
  ['changes of scopes', config.changes({ component: true, scopes: true })],
  ['streams', outbox.streams(null)],
  ['streams that are blocked', outbox.streams(true)],
  ['streams that are not blocked', outbox.streams(false)],
]

/** Reads of what is small by its nature: one row, the parameters, the blocked streams; and the backlog's own total. */
const harmless = [
  /^SCAN store_head$/,
  /^SCAN json_each /,
  /^SCAN CONSTANT ROW$/,
  /^SCAN beyond$/,
  /^SCAN stream_leases USING INDEX blocked_streams$/,
  /^SCAN ready_streams$/,
]

it(
  'finds every row through an index, however much there is',
  withPath(async (path) => {
    const connection = openConnection(path, { readOnly: false, busyTimeoutMs: 5 })
    migrate(connection, migrations, { clock, random: fakeRandom(1) })._unsafeUnwrap()
    const scans = statements.flatMap(([name, sql]) => {
      const names = [...sql.matchAll(/@([a-z]\w*)/gi)].map(([, parameter]) => [parameter, null])
      const plan = connection.all({ sql: `EXPLAIN QUERY PLAN ${sql}`, parameters: Object.fromEntries(names) })
      const details = plan.map((row) => String(row['detail']))
      // Under an equality on every column but the last, or a range that the caller bounds.
      const byComponentAlone = details.filter((detail) => detail.endsWith('entries_by_address (component=?)'))
      const scanned = details.filter((detail) => detail.startsWith('SCAN') && !harmless.some((pattern) => pattern.test(detail)))
      return [...byComponentAlone, ...scanned].map((detail) => `${name}: ${detail}`)
    })
    expect(scans).toEqual([])
    connection.close()
  }),
)
