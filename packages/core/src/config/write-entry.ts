import { err, errAsync, okAsync, type Result, type ResultAsync } from 'neverthrow'
import type { Caller } from '../kernel/caller.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Digest } from '../kernel/digest.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { Revision, UnitOfWork } from '../kernel/unit-of-work.ts'
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
  /** Told of every commit before its answer, so that this instance never again serves anything older. */
  onCommitted: (at: Address, revision: Revision) => void
}>

export type WriteError = StaleVersion | ResolvedEtagUsed | InvalidValue | StoreUnavailable

/** What a write makes of the newest version; `restoredFrom` is set by a rollback. */
type Change = Readonly<{ content: Content; restoredFrom?: VersionNumber }>

/** Reads the newest version, lets `change` decide, checks the precondition, records version and event as one unit (L2). */
export function writeEntry<E>(
  deps: WriteDependencies,
  write: ConditionalWrite,
  change: (newest: EntryVersion | null, tx: ConfigTransaction) => ResultAsync<Change, E>,
): ResultAsync<EntryVersion, E | WriteError> {
  const { unitOfWork, ids, clock, digest, onCommitted } = deps
  return unitOfWork
    .run((tx) =>
      tx.config.newest(write).andThen((newest) =>
        change(newest, tx.config).andThen(({ content, restoredFrom }) =>
          requirePrecondition(write, newest, tx.config)
            .map(() =>
              nextVersion(digest, write, newest, {
                content,
                caller: write.caller,
                reason: write.reason,
                ...(restoredFrom === undefined ? {} : { restoredFrom }),
              }),
            )
            .andThen((draft) => requireTunable(draft, tx.config))
            .map((draft) => {
              const updated = configurationUpdated(ids.next(), draft.component, [draft], { occurredAt: clock.now(), caller: write.caller })
              tx.config.append(draft)
              tx.outbox.append(updated)
              return draft
            }),
        ),
      ),
    )
    .map(({ value: draft, commit }) => {
      const revision = commit.revision as Revision
      onCommitted(write, revision)
      return { ...draft, revision, recordedAt: commit.recordedAt }
    })
}

function requirePrecondition(
  write: ConditionalWrite,
  newest: EntryVersion | null,
  tx: ConfigTransaction,
): ResultAsync<void, StaleVersion | ResolvedEtagUsed | StoreUnavailable> {
  const checked = checkPrecondition(write.precondition, newest)
  if (checked.isOk()) return okAsync(undefined)
  if (checked.error.kind === 'resolved-etag') return errAsync(checked.error)
  const { seen } = checked.error
  if (seen === null || seen === 0) return errAsync(staleVersion(null, newest))
  return tx.version(write, seen).andThen((version): Result<void, StaleVersion> => err(staleVersion(version, newest)))
}

/** A setting of the service itself must stay readable by the service: its resolved value is held against the shipped schema. */
function requireTunable(draft: VersionDraft, tx: ConfigTransaction): ResultAsync<VersionDraft, InvalidValue | StoreUnavailable> {
  const shipped = shippedDefault(draft.component, draft.key)
  if (shipped === undefined || draft.op === 'delete') return okAsync(draft)
  const ancestors = scopeChain(draft.scope).slice(0, -1)
  return readAll(
    ancestors.map((scope) => ({ ...draft, scope })),
    tx,
  ).andThen((above) => {
    const own = { ...draft, revision: 0 as Revision, recordedAt: 0 }
    const resolved = resolve(shipped, [...above, own])
    const faults = resolved === null ? [] : tunableFaults(draft.component, draft.key, resolved.value)
    return faults.length === 0 ? okAsync(draft) : errAsync<VersionDraft, InvalidValue>({ kind: 'invalid-value', faults })
  })
}

function readAll(addresses: readonly Address[], tx: ConfigTransaction): ResultAsync<readonly EntryVersion[], StoreUnavailable> {
  return addresses.reduce<ResultAsync<readonly EntryVersion[], StoreUnavailable>>(
    (found, at) => found.andThen((versions) => tx.newest(at).map((version) => (version === null ? versions : [...versions, version]))),
    okAsync([]),
  )
}
