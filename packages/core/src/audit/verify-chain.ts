import { err, ok, type Result } from 'neverthrow'
import type { Clock, Instant } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Mac } from '../kernel/mac.ts'
import type { DataKeys } from '../sealing/index.ts'
import type { AuditAnchor } from './anchor.ts'
import type { AuditHead, AuditRecord } from './audit-record.ts'
import type { AuditFault, AuditVerdict } from './audit-service.ts'
import { beforeFirst, macOf } from './chain.ts'
import { explainMisfits, type Misfit, type Place } from './explain-misfits.ts'
import type { AuditStore } from './ports/audit-store.ts'

type Dependencies = Readonly<{ auditStore: AuditStore; dataKeys: DataKeys; mac: Mac; clock: Clock }>

/** What is known after the records so far; bounded, however long the chain. */
type Walk = {
  readonly anchor: AuditAnchor | null
  checked: number
  /** Where the next page starts. */
  readAfter: number
  /** Number of the last record of the chain. */
  last: number
  lastMac: string
  /** What the next record may be chained to: the MAC before it, and after a misfit also those that it should have had. */
  previous: readonly string[]
  recordedAt: Instant | null
  /** By number; the first reason counts. */
  readonly faults: Map<number, AuditFault['reason']>
  readonly misfits: Misfit[]
  readonly gaps: Place[]
}

const pageSize = 250
const faultsTold = 100
const previousKept = 3

/** Reads on until the records reach the head: both are written in one unit, also by those that append meanwhile. */
export async function verifyChain(
  deps: Dependencies,
  anchor: AuditAnchor | null,
  onProgress: (checked: number, of: number) => void,
): Promise<Result<AuditVerdict, StoreUnavailable>> {
  const { auditStore, clock } = deps
  const walk = newWalk(anchor)
  let head = await auditStore.auditHead()
  for (;;) {
    if (head.isErr()) return err(head.error)
    const page = await auditStore.auditRecordsAfter(walk.readAfter, pageSize)
    if (page.isErr()) return err(page.error)
    for (const record of page.value) {
      const stepped = await step(deps, walk, record)
      if (stepped.isErr()) return err(stepped.error)
    }
    onProgress(walk.checked, Math.max(walk.checked, head.value?.number ?? 0))
    // Others in this process have their turn: an embedded store answers without one.
    await clock.sleep(0)
    if (page.value.length === pageSize) continue
    head = await auditStore.auditHead()
    if (head.isErr()) return err(head.error)
    if (page.value.length === 0 || (head.value?.number ?? 0) <= walk.last) return ok(conclude(deps, walk, head.value))
  }
}

function newWalk(anchor: AuditAnchor | null): Walk {
  return {
    anchor,
    checked: 0,
    readAfter: Number.MIN_SAFE_INTEGER,
    last: 0,
    lastMac: beforeFirst,
    previous: [beforeFirst],
    recordedAt: null,
    faults: new Map(),
    misfits: [],
    gaps: [],
  }
}

async function step({ dataKeys, mac }: Dependencies, walk: Walk, record: AuditRecord): Promise<Result<void, StoreUnavailable>> {
  const { number } = record
  walk.checked += 1
  walk.readAfter = number
  if (number < 1) {
    blame(walk, number, 'out-of-place')
    return ok()
  }
  const isNext = number === walk.last + 1
  if (!isNext) noteGap(walk, number)
  const { previous } = walk
  Object.assign(walk, { last: number, lastMac: record.mac, recordedAt: record.recordedAt, previous: [record.mac] })
  if (number === walk.anchor?.number && record.mac !== walk.anchor.mac) blame(walk, number, 'changed')
  const key = await dataKeys.at('audit-chain', record.keyVersion)
  if (key.isErr()) {
    if (key.error.kind === 'store-unavailable') return err(key.error)
    blame(walk, number, 'unknown-key')
    return ok()
  }
  // What a record after a gap was chained to is gone, so that it cannot be checked by itself.
  if (!isNext) return ok()
  const keyBase64 = key.value.keyBase64.reveal()
  const expected = previous.map((each) => macOf(mac, keyBase64, each, record))
  if (expected.includes(record.mac)) return ok()
  blame(walk, number, 'changed')
  if (walk.misfits.length < faultsTold) walk.misfits.push({ number, previous, record, keyBase64 })
  walk.previous = [record.mac, ...expected].slice(0, previousKept)
  return ok()
}

function noteGap(walk: Walk, next: number): void {
  if (walk.gaps.length < faultsTold) walk.gaps.push({ number: walk.last + 1, previous: walk.previous })
  for (let number = walk.last + 1; number < next && walk.faults.size < faultsTold; number += 1) blame(walk, number, 'missing')
}

function blame({ faults }: Walk, number: number, reason: AuditFault['reason']): void {
  if (faults.size < faultsTold && !faults.has(number)) faults.set(number, reason)
}

function conclude({ mac }: Dependencies, walk: Walk, head: AuditHead | null): AuditVerdict {
  const { checked, last, recordedAt, anchor, faults, misfits, gaps } = walk
  for (const [number, explanation] of explainMisfits(mac, misfits, gaps)) {
    if (explanation === 'in-order') faults.delete(number)
    else faults.set(number, explanation)
  }
  if (Math.max(head?.number ?? 0, anchor?.number ?? 0) > last) blame(walk, last + 1, 'cut-off')
  else if ((head?.number ?? 0) !== last) blameBeyondHead(walk, head?.number ?? 0)
  else if (head !== null && head.mac !== walk.lastMac) blame(walk, last, 'head-changed')
  const sorted = [...faults].sort(([left], [right]) => left - right)
  return { checked, head, faults: sorted.map(([number, reason]) => ({ number, reason })), recordedAt }
}

/** Either records were put there that the chain does not know, or the head was set back. */
function blameBeyondHead(walk: Walk, headNumber: number): void {
  const strangers = walk.misfits.filter(({ number }) => number > headNumber)
  for (const { number } of strangers) walk.faults.set(number, 'out-of-place')
  if (strangers.length === 0) blame(walk, walk.last, 'head-changed')
}
