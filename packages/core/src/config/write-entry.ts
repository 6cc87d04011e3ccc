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

/** `older`: the version that was asked for besides the newest one. */
type Decide<E> = (newest: EntryVersion | null, older: EntryVersion | null) => Result<Change, E>

/**
 * Reads the newest version, lets `change` decide, checks the precondition, records version and event as one unit (L2).
 * Plain async functions inside one result: each chained step of a result costs as much as the statements behind it.
 */
export function writeEntry<E>(
  deps: WriteDependencies,
  write: ConditionalWrite,
  change: Decide<E>,
  older: VersionNumber | null = null,
): ResultAsync<EntryVersion, E | WriteError> {
  return new ResultAsync(commitEntry(deps, write, change, older))
}

async function commitEntry<E>(
  { unitOfWork, onShown, ...deps }: WriteDependencies,
  write: ConditionalWrite,
  change: Decide<E>,
  older: VersionNumber | null,
): Promise<Result<EntryVersion, E | WriteError>> {
  const committed = await unitOfWork.run((tx) => new ResultAsync(recordEntry(deps, write, change, older, tx)))
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
  older: VersionNumber | null,
  tx: Transaction,
): Promise<Result<VersionDraft, E | WriteError>> {
  const read = await readEntries(write, older, tx.config)
  if (read.isErr()) return err(read.error)
  const { newest, above } = read.value
  const decided = change(newest, read.value.older)
  if (decided.isErr()) return err(decided.error)
  const precondition = await requirePrecondition(write, newest, tx.config)
  if (precondition.isErr()) return err(precondition.error)
  const { caller, reason } = write
  const draft = nextVersion(digest, write, newest, { ...decided.value, caller, reason })
  const tunable = requireTunable(draft, above)
  if (tunable.isErr()) return err(tunable.error)
  tx.config.append(draft)
  tx.outbox.append(configurationUpdated(ids.next(), draft.component, [draft], { occurredAt: clock.now(), caller }))
  return ok(draft)
}

type Entries = Readonly<{
  newest: EntryVersion | null
  older: EntryVersion | null
  /** What a setting of the service itself inherits from, the root first. */
  above: readonly EntryVersion[]
}>

/** All at once, because each question may be a round trip; from the root down, as every writer of a setting locks them. */
async function readEntries(
  { component, key, scope }: Address,
  version: VersionNumber | null,
  tx: ConfigTransaction,
): Promise<Result<Entries, StoreUnavailable>> {
  const scopes = shippedDefault(component, key) === undefined ? [scope] : scopeChain(scope)
  const [chain, older] = await Promise.all([
    Promise.all(scopes.map((each) => tx.newest({ component, key, scope: each }))),
    version === null ? ok(null) : tx.version({ component, key, scope }, version),
  ])
  if (older.isErr()) return err(older.error)
  const found: (EntryVersion | null)[] = []
  for (const each of chain) {
    if (each.isErr()) return err(each.error)
    found.push(each.value)
  }
  return ok({ newest: found.pop() ?? null, older: older.value, above: found.filter((each) => each !== null) })
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
function requireTunable(draft: VersionDraft, above: readonly EntryVersion[]): Result<void, InvalidValue> {
  const shipped = shippedDefault(draft.component, draft.key)
  if (shipped === undefined || draft.op === 'delete') return ok()
  const resolved = resolve(shipped, [...above, { ...draft, revision: zeroRevision, recordedAt: 0 }])
  const faults = resolved === null ? [] : tunableFaults(draft.component, draft.key, resolved.value)
  return faults.length === 0 ? ok() : err({ kind: 'invalid-value', faults })
}
