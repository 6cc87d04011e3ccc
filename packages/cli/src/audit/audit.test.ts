import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Ended, memoryHost, run } from '../../tests/harness.ts'
import { type Host, systemHost } from '../host.ts'

async function withSubscriptions(host: Host, count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) {
    expect((await run(host, ['webhook', 'add', '--url', `https://shop.example/${made}`, '--types', 'PAYMENT_CREATED'])).code).toBe(0)
  }
}

describe('cbp audit list', () => {
  it('lists records, newest first, page by page', async () => {
    const host = memoryHost()
    await withSubscriptions(host, 3)
    const first = await run(host, ['audit', 'list', '--limit', '2', '--json'])
    expect(first.json()).toMatchObject({
      items: [{ number: 3, action: 'webhook-secret.created', actor: 'cli:tester' }, { number: 2 }],
      nextBefore: 2,
    })
    expect((await run(host, ['audit', 'list', '--before', '2', '--json'])).json()).toMatchObject({
      items: [{ number: 1 }],
      nextBefore: null,
    })
    expect((await run(host, ['audit', 'list', '--all', '--limit', '1', '--json'])).json()).toMatchObject({ items: { length: 3 } })
    expect((await run(host, ['audit', 'list'])).stdout).toContain('webhook-secret.created')
  })

  it('lists only what was asked for', async () => {
    const host = memoryHost()
    await withSubscriptions(host, 1)
    for (const line of [
      '--action limit.hit',
      '--actor nobody',
      '--subject x',
      '--to 2020-01-01T00:00:00Z',
      '--from 2100-01-01T00:00:00Z',
    ]) {
      expect((await run(host, ['audit', 'list', ...line.split(' ')])).stdout, line).toBe('There are no such records.\n')
    }
    for (const line of ['--action unknown', '--from yesterday', '--before 0']) {
      expect((await run(host, ['audit', 'list', ...line.split(' ')])).code, line).toBe(2)
    }
  })
})

describe('cbp audit verify', () => {
  it('tells the anchor, and holds the log against one', async () => {
    const host = memoryHost()
    expect((await run(host, ['audit', 'verify'])).stdout).toContain('The audit log is empty')
    await withSubscriptions(host, 2)
    const { anchor } = (await run(host, ['audit', 'verify', '--json'])).json() as { anchor: string }
    expect(await run(host, ['audit', 'verify', '--anchor', anchor])).toMatchObject({ code: 0, stdout: expect.stringContaining(anchor) })
    const later = await run(host, ['audit', 'verify', '--anchor', anchor.replace('2:', '7:')])
    expect(later).toMatchObject({ code: 1, stdout: expect.stringContaining('cut-off') })
    expect((await run(host, ['audit', 'verify', '--anchor', 'x'])).code).toBe(2)
  })
})

const statements = fc.oneof(
  fc
    .constantFrom(
      'action',
      'outcome',
      'actor',
      'subject',
      'request_id',
      'times',
      'happened_at',
      'recorded_at',
      'details',
      'key_version',
      'mac',
    )
    .chain((column) =>
      fc.integer({ min: 1, max: 6 }).map((number) => `UPDATE audit_records SET [${column}] = ${changeOf(column)} WHERE number = ${number}`),
    ),
  fc.integer({ min: 1, max: 6 }).map((number) => `DELETE FROM audit_records WHERE number = ${number}`),
  fc.integer({ min: 1, max: 6 }).map((number) => `DELETE FROM audit_records WHERE number >= ${number}`),
  fc.integer({ min: 1, max: 6 }).map((number) => `UPDATE audit_records SET number = number + 100 WHERE number = ${number}`),
  fc
    .integer({ min: 1, max: 5 })
    .map(
      (number) =>
        `UPDATE audit_records SET number = CASE number WHEN ${number} THEN -1 ELSE ${number} END WHERE number IN (${number}, ${number + 1}); UPDATE audit_records SET number = ${number + 1} WHERE number = -1`,
    ),
  fc.constantFrom(
    'DELETE FROM audit_head',
    "UPDATE audit_head SET mac = 'AAAA'",
    'UPDATE audit_head SET number = number - 1',
    'UPDATE audit_head SET number = number + 1',
  ),
)

function changeOf(column: string): string {
  if (['times', 'happened_at', 'recorded_at', 'key_version'].includes(column)) return `[${column}] + 1`
  if (column === 'details') return `'{"other":1}'`
  return column === 'action' ? "'limit.hit'" : column === 'outcome' ? "'refused'" : `coalesce([${column}], '') || 'x'`
}

describe('an audit log in SQLite', () => {
  it('shows whatever was done to its rows', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'cbp-audit-'))
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
    const cbp = (...line: string[]): Promise<Ended> => run(systemHost, line, { env: { CBP_DATA_DIR: dataDir }, cwd: dataDir })
    for (let made = 0; made < 6; made += 1) await cbp('webhook', 'add', '--url', `http://127.0.0.1:9/${made}`, '--types', 'PAYMENT_CREATED')
    expect((await cbp('audit', 'verify', '--json')).json()).toMatchObject({ intact: true, checked: 6 })
    const path = join(dataDir, 'cbp.sqlite')
    const whole = snapshotOf(path)
    await fc.assert(
      fc.asyncProperty(statements, async (statement) => {
        tamper(path, statement)
        const verdict = await cbp('audit', 'verify', '--json')
        tamper(path, whole)
        expect([verdict.code, (verdict.json() as { intact: boolean }).intact], statement).toEqual([1, false])
      }),
      { numRuns: 24, seed: 20_260_101 },
    )
    expect((await cbp('audit', 'verify')).code).toBe(0)
  }, 120_000)
})

/** Statements that bring back what the tables hold now. */
function snapshotOf(path: string): string {
  const database = new DatabaseSync(path)
  const inserts = ['audit_records', 'audit_head'].flatMap((table) => {
    const rows = database.prepare(`SELECT * FROM ${table}`).all()
    const literal = (value: string | number | bigint | Uint8Array | null): string =>
      value === null ? 'NULL' : typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value as number)
    return [
      `DELETE FROM ${table}`,
      ...rows.map(
        (row) =>
          `INSERT INTO ${table} (${Object.keys(row)
            .map((name) => `[${name}]`)
            .join()}) VALUES (${Object.values(row).map(literal).join()})`,
      ),
    ]
  })
  database.close()
  return inserts.join(';')
}

/** As somebody with the file in hand does it, whatever triggers forbid. */
function tamper(path: string, statement: string): void {
  const database = new DatabaseSync(path)
  for (const { name } of database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'").all()) {
    database.exec(`DROP TRIGGER [${String(name)}]`)
  }
  database.exec(statement)
  database.close()
}
