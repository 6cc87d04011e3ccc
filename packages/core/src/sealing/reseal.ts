import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { CancelSignal } from '../kernel/cancel.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { JsonObject } from '../kernel/json.ts'
import type { KeyRing, Sealed } from '../kernel/key-ring.ts'
import type { Page } from '../kernel/page.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'

/** A secret of a row, and what it is sealed under. */
export type SealedSecret = Readonly<{ sealed: Sealed; context: string }>
export type SealedRow = Readonly<{ id: string; secrets: readonly SealedSecret[] }>

/** One kind of rows with secrets. A context that keeps secrets offers its own. */
export type SealedRows<Tx> = Readonly<{
  name: string
  rows: (after: string | null, limit: number) => ResultAsync<Page<SealedRow, string>, StoreUnavailable>
  /** Records the row with each secret that `again` answers anew; a row that is gone meanwhile is left out. */
  replace: (tx: Tx, id: string, again: (secret: SealedSecret) => Sealed) => ResultAsync<void, StoreUnavailable>
}>

/** What does not open stays as it is: its key may come back to the ring. */
export type Unopened = Readonly<{ kind: string; id: string; reason: string }>

export type SealedCount = Readonly<{ rows: number; secrets: number }>

export type ResealReport = Readonly<{
  /** Rows looked at. */
  rows: number
  /** Secrets sealed again with the current key. */
  resealed: number
  /** The first hundred. */
  unopened: readonly Unopened[]
  /** Whether it was stopped before the end; what was done stays done. */
  stopped: boolean
}>

/** Appends a record to the audit log; loaded ahead of the unit. */
type Record<Tx> = (
  tx: Tx,
  deed: Readonly<{ action: 'key-ring.resealed'; actor: string; subject: null; requestId: string; details: JsonObject }>,
) => ResultAsync<void, StoreUnavailable>

type Dependencies<Tx> = Readonly<{
  keyRing: KeyRing
  unitOfWork: UnitOfWork<Tx>
  sealed: readonly SealedRows<Tx>[]
  openTrail: () => ResultAsync<Record<Tx>, StoreUnavailable>
}>

export type SealingService = Readonly<{
  /** Shows every sealed secret to `visit`, page by page. */
  survey: (visit: (secret: SealedSecret, kind: string) => void) => ResultAsync<SealedCount, StoreUnavailable>
  /** Seals again, row by row and online, what the current key has not sealed. What is current is skipped, so that it can be run again. */
  reseal: (
    command: Readonly<{
      caller: Readonly<{ client: string; requestId: string }>
      /** What was done to the ring; it goes on record with the rest. */
      ring: JsonObject
      cancel: CancelSignal
      onProgress: (rows: number, resealed: number) => void
    }>,
  ) => ResultAsync<ResealReport, StoreUnavailable>
}>

const pageSize = 100
const unopenedTold = 100

export function sealingService<Tx>(deps: Dependencies<Tx>): SealingService {
  return {
    survey: (visit) => new ResultAsync(survey(deps, visit)),
    reseal: (command) => new ResultAsync(reseal(deps, command)),
  }
}

async function survey<Tx>(
  deps: Dependencies<Tx>,
  visit: Parameters<SealingService['survey']>[0],
): Promise<Result<SealedCount, StoreUnavailable>> {
  const count = { rows: 0, secrets: 0 }
  const looked = await eachRow(deps, async ({ name }, { secrets }) => {
    count.rows += 1
    count.secrets += secrets.length
    for (const secret of secrets) visit(secret, name)
    return ok(true)
  })
  return looked.map(() => count)
}

type Reseal = Parameters<SealingService['reseal']>[0]

async function reseal<Tx>(
  deps: Dependencies<Tx>,
  { caller, ring, cancel, onProgress }: Reseal,
): Promise<Result<ResealReport, StoreUnavailable>> {
  const { keyRing } = deps
  const report = { rows: 0, resealed: 0, unopened: [] as Unopened[], stopped: false }
  const done = await eachRow(deps, async (kind, row) => {
    if (cancel.aborted) {
      report.stopped = true
      return ok(false)
    }
    report.rows += 1
    if (row.secrets.some(({ sealed }) => !keyRing.isCurrent(sealed))) {
      const replaced = await replaceRow(deps, kind, row.id)
      if (replaced.isErr()) return err(replaced.error)
      report.resealed += replaced.value.resealed
      report.unopened.push(...replaced.value.unopened.slice(0, unopenedTold - report.unopened.length))
    }
    onProgress(report.rows, report.resealed)
    return ok(true)
  })
  const isDeed = report.resealed > 0 || Object.keys(ring).length > 0
  const recorded = isDeed ? await recordDeed(deps, caller, report, ring) : ok()
  return done.andThen(() => recorded).map(() => report)
}

/** Within one unit; what it counts is that of its last attempt, the one that took effect. */
async function replaceRow<Tx>(
  { keyRing, unitOfWork }: Dependencies<Tx>,
  kind: SealedRows<Tx>,
  id: string,
): Promise<Result<Readonly<{ resealed: number; unopened: readonly Unopened[] }>, StoreUnavailable>> {
  const committed = await unitOfWork.run((tx) => {
    const outcome = { resealed: 0, unopened: [] as Unopened[] }
    const again = ({ sealed, context }: SealedSecret): Sealed => {
      if (keyRing.isCurrent(sealed)) return sealed
      return keyRing.unseal(sealed, context).match(
        (secret) => {
          outcome.resealed += 1
          return keyRing.seal(secret, context)
        },
        ({ reason }) => {
          outcome.unopened.push({ kind: kind.name, id, reason })
          return sealed
        },
      )
    }
    return kind.replace(tx, id, again).map(() => outcome)
  })
  return committed.map(({ value }) => value)
}

/** Of what was done before it was stopped or failed, too. */
async function recordDeed<Tx>(
  { openTrail, unitOfWork }: Dependencies<Tx>,
  { client, requestId }: Reseal['caller'],
  { rows, resealed, unopened, stopped }: ResealReport,
  ring: JsonObject,
): Promise<Result<void, StoreUnavailable>> {
  const record = await openTrail()
  if (record.isErr()) return err(record.error)
  const details = { ...ring, rows, resealed, unopened: unopened.length, stopped }
  const deed = { action: 'key-ring.resealed', actor: client, subject: null, requestId, details } as const
  return unitOfWork.run((tx) => record.value(tx, deed)).map(() => undefined)
}

/** Until `visit` answers `false`. */
async function eachRow<Tx>(
  { sealed }: Dependencies<Tx>,
  visit: (kind: SealedRows<Tx>, row: SealedRow) => Promise<Result<boolean, StoreUnavailable>>,
): Promise<Result<void, StoreUnavailable>> {
  for (const kind of sealed) {
    for (let after: string | null = null, isLast = false; !isLast; ) {
      const page: Result<Page<SealedRow, string>, StoreUnavailable> = await kind.rows(after, pageSize)
      if (page.isErr()) return err(page.error)
      for (const row of page.value.items) {
        const visited = await visit(kind, row)
        if (visited.isErr()) return err(visited.error)
        if (!visited.value) return ok()
      }
      after = page.value.next
      isLast = after === null
    }
  }
  return ok()
}
