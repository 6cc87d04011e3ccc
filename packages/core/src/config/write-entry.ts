import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Caller } from '../kernel/caller.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Digest } from '../kernel/digest.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import { type Revision, type UnitOfWork, zeroRevision } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { type Address, scopeChain } from './address.ts'
import { configurationUpdated } from './configuration-updated.ts'
import { type Content, type EntryVersion, type InvalidValue, nextVersion, type VersionDraft, type VersionNumber } from './entry.ts'
import type { ConfigTransaction } from './ports/config-store.ts'
import { checkPrecondition, type Precondition, type ResolvedEtagUsed, type StaleVersion, staleVersion } from './precondition.ts'
import { resolve } from './resolution.ts'
import { shippedDefault, tunableFaults } from './shipped-defaults.ts'

/** What every conditional write carries. */
export type ConditionalWrite = Address & Readonly<{ precondition: Precondition; reason: string; caller: Caller }>

export type WriteDependencies = Readonly<{
  unitOfWork: UnitOfWork<Transaction>
  ids: IdSource
  clock: Clock
  digest: Digest
  /** Told of every revision before an answer shows it, so that this instance never again serves anything older. */
  onShown: (at: Address, revision: Revision) => void
}>

export type WriteError = StaleVersion | ResolvedEtagUsed | InvalidValue | StoreUnavailable

/** What a write makes of the newest version; `restoredFrom` is set by a rollback. */
type Change = Readonly<{ content: Content; restoredFrom?: VersionNumber }>

type Decide<E> = (newest: EntryVersion | null, tx: ConfigTransaction) => ResultAsync<Change, E>

/**
 * Reads the newest version, lets `change` decide, checks the precondition, records version and event as one unit (L2).
 * Plain async functions inside one result: each chained step of a result costs as much as the statements behind it.
 */
export function writeEntry<E>(
  deps: WriteDependencies,
  write: ConditionalWrite,
  change: Decide<E>,
): ResultAsync<EntryVersion, E | WriteError> {
  return new ResultAsync(commitEntry(deps, write, change))
}

async function commitEntry<E>(
  { unitOfWork, onShown, ...deps }: WriteDependencies,
  write: ConditionalWrite,
  change: Decide<E>,
): Promise<Result<EntryVersion, E | WriteError>> {
  const committed = await unitOfWork.run((tx) => new ResultAsync(recordEntry(deps, write, change, tx)))
  if (committed.isErr()) {
    // Only now: inside the unit it was not sure that what it read would last.
    if (isStale(committed.error) && committed.error.current !== null) onShown(write, committed.error.current.revision)
    return err(committed.error)
  }
  const { value: draft, commit } = committed.value
  const revision = commit.revision as Revision
  onShown(write, revision)
  return ok({ ...draft, revision, recordedAt: commit.recordedAt })
}

function isStale(error: unknown): error is StaleVersion {
  return typeof error === 'object' && error !== null && (error as { kind?: unknown }).kind === 'stale-version'
}

async function recordEntry<E>(
  { ids, clock, digest }: Pick<WriteDependencies, 'ids' | 'clock' | 'digest'>,
  write: ConditionalWrite,
  change: Decide<E>,
  tx: Transaction,
): Promise<Result<VersionDraft, E | WriteError>> {
  const newest = await tx.config.newest(write)
  if (newest.isErr()) return err(newest.error)
  const decided = await change(newest.value, tx.config)
  if (decided.isErr()) return err(decided.error)
  const precondition = await requirePrecondition(write, newest.value, tx.config)
  if (precondition.isErr()) return err(precondition.error)
  const { caller, reason } = write
  const draft = nextVersion(digest, write, newest.value, { ...decided.value, caller, reason })
  const tunable = await requireTunable(draft, tx.config)
  if (tunable.isErr()) return err(tunable.error)
  tx.config.append(draft)
  tx.outbox.append(configurationUpdated(ids.next(), draft.component, [draft], { occurredAt: clock.now(), caller }))
  return ok(draft)
}

async function requirePrecondition(
  write: ConditionalWrite,
  newest: EntryVersion | null,
  tx: ConfigTransaction,
): Promise<Result<void, StaleVersion | ResolvedEtagUsed | StoreUnavailable>> {
  const checked = checkPrecondition(write.precondition, newest)
  if (checked.isOk()) return ok()
  if (checked.error.kind === 'resolved-etag') return err(checked.error)
  const { seen } = checked.error
  if (seen === null || seen === 0) return err(staleVersion(null, newest))
  const version = await tx.version(write, seen)
  return version.isErr() ? err(version.error) : err(staleVersion(version.value, newest))
}

/** A setting of the service itself must stay readable by the service: its resolved value is held against the shipped schema. */
async function requireTunable(draft: VersionDraft, tx: ConfigTransaction): Promise<Result<void, InvalidValue | StoreUnavailable>> {
  const shipped = shippedDefault(draft.component, draft.key)
  if (shipped === undefined || draft.op === 'delete') return ok()
  const chain: EntryVersion[] = []
  for (const scope of scopeChain(draft.scope).slice(0, -1)) {
    const above = await tx.newest({ ...draft, scope })
    if (above.isErr()) return err(above.error)
    if (above.value !== null) chain.push(above.value)
  }
  const resolved = resolve(shipped, [...chain, { ...draft, revision: zeroRevision, recordedAt: 0 }])
  const faults = resolved === null ? [] : tunableFaults(draft.component, draft.key, resolved.value)
  return faults.length === 0 ? ok() : err({ kind: 'invalid-value', faults })
}
