import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type EventDraft, entryEtag, type Precondition, type Stream, type Transaction, type VersionDraft } from '@cbp/core'
import { address, caller, type Hexagon, openHexagon } from './lib/hexagon.ts'
import { progress } from './lib/report.ts'

const callers = 64

type StorePeer = Readonly<{ name: string; write: (caller: number, count: number) => Promise<void> }>

/** Writes per second of each way to store one version durably, by round, at 64 concurrent callers. */
export async function storePeers(
  directory: string,
  { rounds, seconds }: Readonly<{ rounds: number; seconds: number }>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  await using opened = new AsyncDisposableStack()
  const shared = opened.use(await openHexagon(join(directory, 'store-shared')))
  const single = opened.use(await openHexagon(join(directory, 'store-single'), { oneCommitPerUnit: true }))
  const units = opened.use(await openHexagon(join(directory, 'store-units')))
  const peers = [
    throughCore('core, shared commits', shared),
    throughCore('core, one commit per write', single),
    throughTransactions('transactions, shared commits', units),
    plainSqlite('node:sqlite, all rows of a unit', join(directory, 'plain-all'), true, opened),
    plainSqlite('node:sqlite, version row only', join(directory, 'plain-row'), false, opened),
  ]
  const samples = new Map<string, number[]>()
  const counts = new Map<string, number[]>()
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index] of peers.entries()) {
      const peer = peers[(index + round) % peers.length] as StorePeer
      const written = counts.get(peer.name) ?? Array.from({ length: callers }, () => 0)
      counts.set(peer.name, written)
      const perSecond = await writeFor(peer, written, round === 0 ? 1 : seconds)
      progress(`  round ${round} ${peer.name}: ${Math.round(perSecond)}/s`)
      if (round > 0) samples.set(peer.name, [...(samples.get(peer.name) ?? []), perSecond])
    }
  }
  return samples
}

async function writeFor({ write }: StorePeer, written: number[], seconds: number): Promise<number> {
  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1000
  let total = 0
  const run = async (index: number): Promise<void> => {
    while (performance.now() < endsAt) {
      await write(index, written[index] ?? 0)
      written[index] = (written[index] ?? 0) + 1
      total += 1
    }
  }
  await Promise.all(Array.from({ length: callers }, (_, index) => run(index)))
  return (total * 1000) / (performance.now() - startedAt)
}

function valueAt(count: number): Readonly<{ count: number; limit: number; currency: string }> {
  return { count, limit: 250_000, currency: 'EUR' }
}

function throughCore(name: string, { core }: Hexagon): StorePeer {
  const etags = new Map<number, string>()
  return {
    name,
    async write(index, count) {
      const etag = etags.get(index)
      const precondition: Precondition = etag === undefined ? { kind: 'absent' } : { kind: 'match', etags: [etag] }
      const put = { ...address('load', `client-${index}`), value: valueAt(count), reason: 'bench', precondition, caller }
      const version = (await core.config.put(put)).match(
        (made) => made,
        (failure) => {
          throw new Error(failure.kind)
        },
      )
      etags.set(index, entryEtag(version))
    },
  }
}

function throughTransactions(name: string, { ports }: Hexagon): StorePeer {
  const { transactions, ids, clock, digest } = ports
  return {
    name,
    async write(index, count) {
      const at = address('load', `client-${index}`)
      const value = valueAt(count)
      const hash = digest.sha256(JSON.stringify(value)).slice(0, 32)
      const event = eventOf(ids.next(), clock.now(), `client-${index}`, count + 1)
      const outcome = await transactions.attempt(ids.next(), (tx) =>
        tx.config.newest(at).map((newest) => record(tx, { ...at, ...facts, version: (newest?.version ?? 0) + 1, value, hash }, event)),
      )
      if (outcome.isErr()) throw new Error(outcome.error.kind)
    },
  }
}

const facts = { op: 'put', actor: 'bench', reason: 'bench', requestId: 'bench', restoredFrom: null } as const

function record(tx: Transaction, draft: VersionDraft, event: EventDraft): void {
  tx.config.append(draft)
  tx.outbox.append(event)
}

function eventOf(id: EventDraft['id'], occurredAt: number, key: string, version: number): EventDraft {
  const details = { changes: [{ key, scope: '/', version, op: 'put' }] }
  const payload = { component: 'load', details, severity: 'INFO', timestamp: new Date(occurredAt).toISOString() } as const
  return { id, stream: 'config-load' as Stream, event: { type: 'CONFIG_UPDATED', payload }, occurredAt, traceparent: null }
}

/** node:sqlite by itself: the rows of a unit by prepared statements in a transaction of their own, or no more than one row. */
function plainSqlite(name: string, directory: string, allRows: boolean, opened: AsyncDisposableStack): StorePeer {
  mkdirSync(directory, { recursive: true })
  const database = new DatabaseSync(join(directory, 'plain.sqlite'))
  opened.defer(() => database.close())
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 3000;
    CREATE TABLE head (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL); INSERT INTO head VALUES (1, 0);
    CREATE TABLE units (unit TEXT PRIMARY KEY, revision INTEGER) WITHOUT ROWID;
    CREATE TABLE versions (entry TEXT, version INTEGER, revision INTEGER, value TEXT, hash TEXT, actor TEXT, reason TEXT, recorded_at INTEGER,
      PRIMARY KEY (entry, version)) WITHOUT ROWID;
    CREATE TABLE events (stream TEXT, sequence INTEGER, id TEXT, payload TEXT, PRIMARY KEY (stream, sequence)) WITHOUT ROWID`)
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const newest = database.prepare('SELECT version, hash FROM versions WHERE entry = ? ORDER BY version DESC LIMIT 1')
  const head = database.prepare('UPDATE head SET revision = revision + 1 WHERE id = 1 RETURNING revision')
  const unit = database.prepare('INSERT INTO units VALUES (?, ?)')
  const version = database.prepare('INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const event = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?)')
  return {
    name,
    async write(index, count) {
      const entry = `load/client-${index}/`
      begin.run()
      const last = (newest.get(entry) as { version: number } | undefined)?.version ?? 0
      const { revision } = allRows ? (head.get() as { revision: number }) : { revision: count }
      version.run(entry, last + 1, revision, JSON.stringify(valueAt(count)), 'hash', 'bench', 'bench', Date.now())
      if (allRows) {
        unit.run(randomUUID(), revision)
        event.run('config-load', revision, randomUUID(), JSON.stringify({ key: entry, version: last + 1, op: 'put' }))
      }
      commit.run()
    },
  }
}
