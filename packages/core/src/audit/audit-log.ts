import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { CancelSignal } from '../kernel/cancel.ts'
import type { Clock } from '../kernel/clock.ts'
import { type StoreUnavailable, storeUnavailable } from '../kernel/failures.ts'
import type { Log } from '../kernel/log.ts'
import type { Mac } from '../kernel/mac.ts'
import { pageOf } from '../kernel/page.ts'
import { survivingDefects, survivingStore } from '../kernel/survive-defects.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { DataKeys } from '../sealing/index.ts'
import { formatAnchor } from './anchor.ts'
import { appendRecords } from './append-records.ts'
import type { AuditDraft } from './audit-record.ts'
import type { AuditService, RecordAudit } from './audit-service.ts'
import { notes } from './notes.ts'
import type { AuditRecords, AuditStore } from './ports/audit-store.ts'
import { verifyChain } from './verify-chain.ts'

export type AuditDependencies = Readonly<{
  auditStore: AuditStore
  unitOfWork: UnitOfWork<AuditRecords>
  dataKeys: DataKeys
  mac: Mac
  clock: Clock
  log: Log
}>

const tellHeadMs = 3_600_000

export function auditService(deps: AuditDependencies): AuditService {
  const { auditStore, clock, log } = deps
  const write = async (drafts: readonly AuditDraft[]): Promise<Result<void, StoreUnavailable>> =>
    survivingDefects(log, () => new ResultAsync(writeNotes(deps, drafts)), storeUnavailable)
  const { note, keep } = notes({ clock, log, write })
  return {
    openTrail: () => new ResultAsync(openTrail(deps)),
    note,
    records: (filter, before, limit) =>
      auditStore.auditRecords(filter, before, limit + 1).map((rows) => pageOf(rows, limit, ({ number }) => number)),
    verify: (anchor, onProgress = () => {}) => new ResultAsync(verifyChain(deps, anchor, onProgress)),
    keepNotes: async (cancel) => {
      await Promise.all([keep(cancel), tellHead(deps, cancel)])
    },
  }
}

async function openTrail({ dataKeys, mac, clock }: AuditDependencies): Promise<Result<RecordAudit, StoreUnavailable>> {
  const key = await dataKeys.current('audit-chain')
  if (key.isErr()) return err(key.error)
  return ok((tx, draft) => {
    const done: AuditDraft = { ...draft, outcome: 'done', count: 1, at: clock.now() }
    return new ResultAsync(appendRecords({ mac, clock }, key.value, tx, [done]))
  })
}

async function writeNotes(deps: AuditDependencies, drafts: readonly AuditDraft[]): Promise<Result<void, StoreUnavailable>> {
  const key = await deps.dataKeys.current('audit-chain')
  if (key.isErr()) return err(key.error)
  return deps.unitOfWork.run((tx) => new ResultAsync(appendRecords(deps, key.value, tx, drafts))).map(() => undefined)
}

/** Whoever can change the store can cut off the end of the chain together with its head, but does not get at the log. */
async function tellHead({ auditStore, clock, log }: AuditDependencies, cancel: CancelSignal): Promise<void> {
  const store = survivingStore(log, auditStore)
  while (!cancel.aborted) {
    const head = (await store.auditHead()).unwrapOr(null)
    if (head !== null) log.write('info', 'the end of the audit log', { anchor: formatAnchor(head) })
    await clock.sleep(tellHeadMs, cancel)
  }
}
