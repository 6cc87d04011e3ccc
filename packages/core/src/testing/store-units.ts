import { errAsync, ok, okAsync, type ResultAsync, safeTry } from 'neverthrow'
import type { Address, VersionDraft, VersionNumber } from '../config/index.ts'
import { draftOf, type VersionContent } from '../config/testing/arbitraries.ts'
import type { EventDraft, SequencedEvent, Stream } from '../events/index.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { Harness, TestClock } from '../kernel/testing/harness.ts'
import type { AttemptFailure, Commit, Committed, UnitId } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import type { StorePorts } from './fake-store/fake-store.ts'

/** One store behind its ports, empty when opened, on a clock that the test moves. */
export type StoreHarness = Harness<StorePorts & Readonly<{ clock: TestClock }>>
export type OpenStore = () => Promise<StoreHarness>

/** A write that follows whatever is newest at its address. */
export type Write = Readonly<{ at: Address; content: VersionContent }>

export const plainContent: Omit<VersionContent, 'op' | 'value'> = {
  hash: '0123456789abcdef0123456789abcdef',
  actor: 'cli:operator',
  reason: 'test',
  requestId: 'request-1',
  restoredFrom: null,
}

export function put(at: Address, value: VersionContent['value']): Write {
  return { at, content: { ...plainContent, op: 'put', value } as VersionContent }
}

export function remove(at: Address): Write {
  return { at, content: { ...plainContent, op: 'delete', value: null } }
}

/** Reads the newest version at every address, then records the one after it. */
export function recordWrites(tx: Transaction, writes: readonly Write[]): ResultAsync<readonly VersionDraft[], StoreUnavailable> {
  return safeTry(async function* () {
    const drafts: VersionDraft[] = []
    for (const { at, content } of writes) {
      const newest = yield* tx.config.newest(at)
      drafts.push(draftOf(at, (newest?.version ?? 0) + 1, content))
    }
    for (const draft of drafts) tx.config.append(draft)
    return ok(drafts)
  })
}

type Outcome<T> = ResultAsync<Committed<T>, AttemptFailure>

export function attemptWrites({ transactions }: StorePorts, unit: UnitId, writes: readonly Write[]): Outcome<readonly VersionDraft[]> {
  return transactions.attempt(unit, (tx) => recordWrites(tx, writes))
}

/** Records one version with the number given, without a look at what is there. */
export function attemptVersion({ transactions }: StorePorts, unit: UnitId, { at, content }: Write, version: VersionNumber): Outcome<null> {
  return transactions.attempt(unit, (tx) => {
    tx.config.append(draftOf(at, version, content))
    return okAsync(null)
  })
}

export function attemptEvents({ transactions }: StorePorts, unit: UnitId, drafts: readonly EventDraft[]): Outcome<null> {
  return transactions.attempt(unit, (tx) => {
    for (const draft of drafts) tx.outbox.append(draft)
    return okAsync(null)
  })
}

/** Records everything, then refuses. */
export function attemptRefused(
  { transactions }: StorePorts,
  unit: UnitId,
  writes: readonly Write[],
  events: readonly EventDraft[],
): ResultAsync<Committed<never>, AttemptFailure | 'refused'> {
  return transactions.attempt(unit, (tx) =>
    recordWrites(tx, writes).andThen(() => {
      for (const event of events) tx.outbox.append(event)
      return errAsync<never, 'refused'>('refused')
    }),
  )
}

/** The value of a result that the test relies on. */
export async function expectOk<T, E>(result: ResultAsync<T, E>): Promise<T> {
  const settled = await result
  if (settled.isErr()) throw new Error(`expected a value, got ${JSON.stringify(settled.error)}`)
  return settled.value
}

export async function write(store: StorePorts, ids: IdSource, ...writes: readonly Write[]): Promise<Commit> {
  return (await expectOk(attemptWrites(store, ids.next(), writes))).commit
}

export function eventOn(stream: Stream, ids: IdSource, clock: TestClock): EventDraft {
  const occurredAt = clock.now()
  const payload = { component: 'payments', details: {}, severity: 'INFO', timestamp: '2026-01-01T00:00:00.000Z' } as const
  return { id: ids.next(), stream, event: { type: 'CONFIG_UPDATED', payload }, occurredAt, traceparent: null }
}

/** Commits one unit with an event on each of the streams; answers the events as the store keeps them. */
export async function emit(store: StoreHarness, ids: IdSource, ...streams: readonly Stream[]): Promise<readonly SequencedEvent[]> {
  const drafts = streams.map((stream) => eventOn(stream, ids, store.clock))
  await expectOk(attemptEvents(store, ids.next(), drafts))
  const states = await Promise.all(drafts.map(({ stream }) => expectOk(store.outbox.stream(stream))))
  return drafts.map((draft, index) => {
    const later = drafts.slice(index + 1).filter(({ stream }) => stream === draft.stream).length
    return { ...draft, sequence: (states[index]?.last ?? 0) - later }
  })
}
