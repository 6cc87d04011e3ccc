import { err, ok, okAsync, type Result, type ResultAsync } from 'neverthrow'
import { sameAddress } from '../../config/address.ts'
import type { Address, EntryVersion, VersionDraft, VersionNumber } from '../../config/index.ts'
import type { EventDraft, Stream } from '../../events/index.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Topic } from '../../kernel/signals.ts'
import type { AttemptFailure, Commit, Committed, Contended, Revision, Transactions, UnitId } from '../../kernel/unit-of-work.ts'
import type { Transaction } from '../../transaction.ts'
import { nothingRecorded, type RecordedWrites } from './fake-records.ts'
import { recordTransaction } from './record-tables.ts'
import { type ComponentRow, headRevision, type StreamRow, type Tables, versionsAt } from './tables.ts'

/** What one attempt has read and recorded so far. */
type Recording = Readonly<{
  reads: { readonly at: Address; readonly version: VersionNumber }[]
  drafts: VersionDraft[]
  events: EventDraft[]
  recorded: RecordedWrites
}>

/** Optimistic: what was read is held against the store when the unit commits, in one step that nothing can interleave. */
export function fakeTransactions(tables: Tables): Transactions<Transaction> {
  return {
    attempt<T, E>(unit: UnitId, work: (tx: Transaction) => ResultAsync<T, E>): ResultAsync<Committed<T>, E | AttemptFailure> {
      const recording: Recording = { reads: [], drafts: [], events: [], recorded: nothingRecorded() }
      return work(recorder(tables, recording)).andThen((value) => commitUnit(tables, unit, recording).map((commit) => ({ value, commit })))
    },
    settle(unit) {
      const commit = tables.commits.get(unit) ?? null
      if (commit === null) tables.commits.set(unit, null)
      return okAsync(commit)
    },
  }
}

function recorder(tables: Tables, { reads, drafts, events, recorded }: Recording): Transaction {
  return {
    ...recordTransaction(tables.records, recorded),
    config: {
      newest(at) {
        const newest = versionsAt(tables, at).at(-1) ?? null
        reads.push({ at, version: newest?.version ?? 0 })
        return okAsync(newest)
      },
      version: (at, version) => okAsync(versionsAt(tables, at)[version - 1] ?? null),
      append(draft) {
        if (drafts.some((each) => sameAddress(each, draft))) throw new Error(`two versions of ${nameOf(draft)} in one unit`)
        drafts.push(draft)
      },
    },
    outbox: { append: (draft) => void events.push(draft) },
  }
}

function commitUnit(tables: Tables, unit: UnitId, recording: Recording): Result<Commit, Contended> {
  const { reads, drafts, recorded } = recording
  if (tables.commits.has(unit)) return contended(`unit ${unit} has ended`)
  for (const { at, version } of reads) {
    if (versionsAt(tables, at).length !== version) return contended(`${nameOf(at)} has changed`)
  }
  for (const draft of drafts) {
    const newest = versionsAt(tables, draft).length
    if (draft.version <= newest) return contended(`version ${draft.version} of ${nameOf(draft)} is taken`)
    if (draft.version > newest + 1) throw new Error(`version ${draft.version} of ${nameOf(draft)} leaves a gap after ${newest}`)
  }
  for (const check of recorded.checks) {
    const changed = check()
    if (changed !== null) return contended(changed)
  }
  return ok(apply(tables, unit, recording))
}

function apply(tables: Tables, unit: UnitId, { drafts, events, recorded }: Recording): Commit {
  const recordedAt = Math.max(tables.clock.now(), tables.newestInstant)
  tables.newestInstant = recordedAt
  const topics: Topic[] = []
  let revision: Revision | null = null
  if (drafts.length > 0) {
    revision = (headRevision(tables) + 1) as Revision
    applyVersions(tables, drafts, revision, recordedAt)
    topics.push('revisions')
  }
  for (const event of events) applyEvent(tables, event)
  if (events.length > 0) topics.push('events')
  let addsDelivery = false
  for (const { table, op, apply: write } of recorded.writes.values()) {
    write()
    addsDelivery ||= op === 'insert' && table === tables.records.deliveries.name
  }
  if (addsDelivery) topics.push('deliveries')
  const commit: Commit = { unit, revision, recordedAt, topics }
  tables.commits.set(unit, commit)
  return commit
}

function applyVersions(tables: Tables, drafts: readonly VersionDraft[], revision: Revision, recordedAt: Instant): void {
  for (const draft of drafts) {
    const row = entryOf(tables.components, draft.component, (): ComponentRow => ({ keys: new Map(), revision }))
    row.revision = revision
    const atScopes = entryOf(row.keys, draft.key, () => new Map())
    entryOf(atScopes, draft.scope, (): EntryVersion[] => []).push({ ...draft, revision, recordedAt })
  }
  tables.units.push({
    revision,
    changes: drafts.map(({ component, key, scope, version, op }) => ({ component, key, scope, version, op })),
  })
  tables.recordedAt.push(recordedAt)
}

function applyEvent({ streams, waiting }: Tables, draft: EventDraft): void {
  const row = entryOf(streams, draft.stream, () => emptyStream(draft.stream))
  row.events.push({ ...draft, sequence: row.events.length + 1 })
  waiting.add(row)
}

function emptyStream(stream: Stream): StreamRow {
  return { stream, events: [], confirmed: 0, refusals: 0, retryAt: 0, blocked: null, fence: 0, leasedUntil: null }
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}

function nameOf({ component, key, scope }: Address): string {
  return `${component}/${key} at ${scope}`
}

function contended(reason: string): Result<never, Contended> {
  return err({ kind: 'contended', reason })
}
