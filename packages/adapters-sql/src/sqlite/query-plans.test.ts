import { fakeRandom } from '@cbp/core/testing'
import { expect, it } from 'vitest'
import { clock } from '../../tests/plain-store.ts'
import { withPath } from '../../tests/temporary-store.ts'
import { apiKeyStatements } from '../access/api-key-statements.ts'
import { auditStatements } from '../audit/audit-statements.ts'
import { configStatements } from '../config/config-statements.ts'
import { deadLetterStatements } from '../events/dead-letter-statements.ts'
import { outboxStatements } from '../events/outbox-statements.ts'
import { paymentStatements } from '../payments/payment-statements.ts'
import { dataKeyStatements } from '../sealing/data-key-statements.ts'
import { webhookReads, webhookStatements } from '../webhooks/webhook-statements.ts'
import { openConnection } from './connection.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

const config = configStatements(sqliteDialect)
const outbox = outboxStatements(sqliteDialect)
const payments = paymentStatements(sqliteDialect)
const webhooks = webhookStatements(sqliteDialect)
const deadLetters = deadLetterStatements(sqliteDialect)
const apiKeys = apiKeyStatements(sqliteDialect)
const audit = auditStatements(sqliteDialect)

type Named = readonly (readonly [name: string, sql: string])[]

const statements: Named = [
  ...plain(config),
  ...plain(outbox),
  ...plain(dataKeyStatements),
  ['changes', config.changes({ component: false, scopes: false })],
  ['changes of a component', config.changes({ component: true, scopes: false })],
  ['changes of scopes', config.changes({ component: true, scopes: true })],
  ['streams', outbox.streams(null)],
  ['streams that are blocked', outbox.streams(true)],
  ['streams that are not blocked', outbox.streams(false)],
]

const ofRecords: Named = [
  ...plain(payments),
  ...plain(webhooks),
  ...plain(webhookReads(sqliteDialect)),
  ...plain(deadLetters),
  ...plain(apiKeys),
  ...plain(audit),
  ...listings('payments', ['client', 'status', 'userId', 'from', 'to', 'before'], payments.payments),
  ...listings('subscriptions', ['client', 'before'], webhooks.subscriptions),
  ...listings('deliveries', ['client', 'subscriptionId', 'status', 'before'], webhooks.deliveries),
  ...listings('dead letters', ['consumer', 'state', 'before'], deadLetters.deadLetters),
  ...listings('API keys', ['owner', 'before'], apiKeys.apiKeys),
  ...listings('audit records', ['action', 'actor', 'subject', 'from', 'to', 'before'], audit.auditRecords),
]

/**
 * Reads of what is small by its nature: one row, the parameters, the blocked streams, open discrepancies, subscriptions that
 * hear more than their client, data keys; the backlog's own total; and the newest rows of all, which end at the limit.
 */
const harmless = [
  /^SCAN store_head$/,
  /^SCAN jsonb?_each /,
  /^SCAN CONSTANT ROW$/,
  /^SCAN beyond$/,
  /^SCAN stream_leases USING INDEX blocked_streams$/,
  /^SCAN ready_streams$/,
  /^SCAN payment_totals$/,
  /^SCAN discrepancies USING INDEX open_discrepancies$/,
  /^SCAN subscriptions USING INDEX subscribers_to_(all_clients|the_system)$/,
  /^SCAN data_keys$/,
  /^SCAN audit_records$/,
  /^SCAN (payments|webhook_deliveries|dead_letters|api_keys) USING INDEX sqlite_autoindex_\w+_1$/,
]

it(
  'finds every row through an index, however much there is',
  withPlans(async (planOf) => {
    const scans = [...statements, ...ofRecords].flatMap(([name, sql]) => {
      const details = planOf(sql)
      // Under an equality on every column but the last, or a range that the caller bounds.
      const byComponentAlone = details.filter((detail) => detail.endsWith('entries_by_address (component=?)'))
      const scanned = details.filter((detail) => detail.startsWith('SCAN') && !harmless.some((pattern) => pattern.test(detail)))
      return [...byComponentAlone, ...scanned].map((detail) => `${name}: ${detail}`)
    })
    expect(scans).toEqual([])
  }),
)

it(
  'reads payments, webhooks, dead letters, API keys and the audit log in the order of an index, without sorting',
  withPlans(async (planOf) => {
    const sorts = ofRecords.flatMap(([name, sql]) =>
      planOf(sql).flatMap((detail) => (detail.includes('TEMP B-TREE') ? [`${name}: ${detail}`] : [])),
    )
    expect(sorts).toEqual([])
  }),
)

it.each([
  ['a client', { client: true }, 'payments_by_client (client=? AND status=?)'],
  ['a status', { status: true }, 'payments_by_status (status=?)'],
  ['a user, whatever else', { client: true, status: true, userId: true }, 'payments_by_user (user_id=?)'],
  ['a time', { client: true, from: true, to: true }, 'payments_by_client (client=? AND status=? AND id>? AND id<?)'],
])('lists the payments of %s from their own index', (_, given, index) =>
  withPlans(async (planOf) => {
    const nothing = { client: false, status: false, userId: false, from: false, to: false, before: false }
    const details = planOf(payments.payments({ ...nothing, ...given })).filter((detail) => detail.includes('payments USING'))
    expect(details.filter((detail) => !detail.endsWith(index))).toEqual([])
  })(),
)

const ofRange = 'INTEGER PRIMARY KEY (rowid>? AND rowid<?)'

it.each([
  ['an action', { action: true }, 'audit_records_by_action (action=?)'],
  ['an actor', { actor: true }, 'audit_records_by_actor (actor=?)'],
  ['an action of an actor', { action: true, actor: true }, 'audit_records_by_actor_and_action (actor=? AND action=?)'],
  ['a subject, whatever else', { action: true, actor: true, subject: true }, 'audit_records_by_subject (subject=?)'],
  ['a time', { from: true, to: true }, ofRange],
  ['a time, on a later page', { from: true, to: true, before: true }, ofRange],
  ['an actor and a time', { actor: true, from: true, to: true }, 'audit_records_by_actor (actor=? AND number>? AND number<?)'],
])('lists the audit records of %s from their own index', (_, given, index) =>
  withPlans(async (planOf) => {
    const nothing = { action: false, actor: false, subject: false, from: false, to: false, before: false }
    const details = planOf(audit.auditRecords({ ...nothing, ...given })).filter((detail) => detail.includes('audit_records USING'))
    expect(details.map((detail) => detail.replace(/^SEARCH audit_records USING (INDEX )?/, ''))).toEqual([index])
  })(),
)

it(
  'counts the backlog of deliveries without reading their rows',
  withPlans(async (planOf) => {
    expect(planOf(webhooks.pending)).toEqual([expect.stringContaining('USING COVERING INDEX')])
  }),
)

function plain(texts: object): Named {
  return Object.entries(texts).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
}

/** A listing under every choice of filters. */
function listings<Name extends string>(
  name: string,
  parts: readonly Name[],
  textOf: (given: Readonly<Record<Name, boolean>>) => string,
): Named {
  return Array.from({ length: 2 ** parts.length }, (_, choice) => {
    const given = Object.fromEntries(parts.map((part, index) => [part, (choice & (1 << index)) !== 0])) as Record<Name, boolean>
    return [[name, ...parts.filter((part) => given[part])].join(' '), textOf(given)] as const
  })
}

function withPlans(test: (planOf: (sql: string) => readonly string[]) => Promise<void>): () => Promise<void> {
  return withPath(async (path) => {
    const connection = openConnection(path, { readOnly: false, busyTimeoutMs: 5 })
    migrate(connection, migrations, { clock, random: fakeRandom(1) })._unsafeUnwrap()
    await test((sql) => {
      const names = [...sql.matchAll(/@([a-z]\w*)/gi)].map(([, parameter]) => [parameter, null])
      const plan = connection.all({ sql: `EXPLAIN QUERY PLAN ${sql}`, parameters: Object.fromEntries(names) })
      return plan.map((row) => String(row['detail']))
    })
    connection.close()
  })
}
