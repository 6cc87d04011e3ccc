import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock, Instant } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { Transaction } from '../transaction.ts'
import { detailOf, judgeReport, type KeptDiscrepancies, type RemoteView } from './judge-report.ts'
import type { Cause, Discrepancy, DiscrepancyKind, Payment, PaymentId } from './payment.ts'
import type { RemoteStatus } from './ports/payment-service.ts'
import { type Origin, recordSteps } from './transitions.ts'

/** What the Payment Service says of a payment, by whichever way it says it. */
export type StatusReport = Readonly<{
  paymentId: PaymentId
  status: RemoteStatus
  /** When it came to be there; `null` where that is not said. */
  occurredAt: Instant | null
  /** Its own name for the payment. */
  reference: string | null
  reason: string | null
  cause: Cause
  requestId: string | null
  traceparent: string | null
}>

/** `null`: there is no such payment. */
export type ReportOutcome = 'effect' | 'recorded' | null

/**
 * Records on `tx` what a report means: a listed transition with its event, or a history entry without effect, and a
 * discrepancy where the two services now disagree (L8, L9).
 */
export type ApplyReport = (deps: ReportDependencies, tx: Transaction, report: StatusReport) => ResultAsync<ReportOutcome, StoreUnavailable>

export type ReportDependencies = Readonly<{ ids: IdSource; clock: Clock }>

export const applyReport: ApplyReport = (deps, tx, report) => new ResultAsync(applyTold(deps, tx, report))

async function applyTold(
  { ids, clock }: ReportDependencies,
  tx: Transaction,
  { paymentId, status, occurredAt, reference, reason, cause, requestId, traceparent }: StatusReport,
): Promise<Result<ReportOutcome, StoreUnavailable>> {
  const found = await findToJudge(tx, paymentId)
  if (found.isErr()) return err(found.error)
  if (found.value === null) return ok(null)
  const view: RemoteView = { status, occurredAt, reference, reason, terms: null, evidence: 'told' }
  const actor = cause === 'reconciler' ? 'reconciler' : 'payment-service'
  const { payment } = recordView(ids, tx, found.value, view, { actor, cause, requestId, traceparent, at: clock.now() })
  return ok(payment.version > found.value.payment.version ? 'effect' : 'recorded')
}

/** A payment with its discrepancies, resolved ones included. */
export type FoundPayment = Readonly<{ payment: Payment; kept: KeptDiscrepancies }>

export type RecordedView = Readonly<{
  payment: Payment
  /** How many discrepancies it opened. */
  opened: number
}>

const kinds: readonly DiscrepancyKind[] = ['status', 'amount', 'currency']

/** Together, because each question may be a round trip: rows that most payments do not have cost less. `null`: no such payment. */
export async function findToJudge(tx: Transaction, id: PaymentId): Promise<Result<FoundPayment | null, StoreUnavailable>> {
  const [found, ...discrepancies] = await Promise.all([
    tx.payments.find({ id }),
    ...kinds.map((kind) => tx.discrepancies.find({ paymentId: id, kind })),
  ])
  if (found.isErr()) return err(found.error)
  const kept: Partial<Record<DiscrepancyKind, Discrepancy>> = {}
  for (const each of discrepancies) {
    if (each.isErr()) return err(each.error)
    if (each.value !== null) kept[each.value.kind] = each.value
  }
  return ok(found.value === null ? null : { payment: found.value, kept })
}

/** The same for a payment that this unit has found and not recorded yet. */
export function recordView(
  ids: IdSource,
  tx: Transaction,
  { payment: before, kept }: FoundPayment,
  told: RemoteView,
  origin: Origin,
): RecordedView {
  const { reference, reason } = told
  const view = { ...told, reference: reference && detailOf(reference), reason: reason && detailOf(reason) }
  const { payment, steps, discrepancies } = judgeReport(before, view, kept, origin)
  if (payment !== before) tx.payments.update(payment)
  recordSteps(ids, tx, steps, origin)
  for (const discrepancy of discrepancies) recordDiscrepancy(tx, discrepancy, kept)
  return { payment, opened: discrepancies.filter((each) => isNewlyOpen(each, kept)).length }
}

function recordDiscrepancy(tx: Transaction, discrepancy: Discrepancy, kept: KeptDiscrepancies): void {
  if (kept[discrepancy.kind] === undefined) tx.discrepancies.insert(discrepancy)
  else tx.discrepancies.update(discrepancy)
}

function isNewlyOpen({ kind, resolvedAt }: Discrepancy, kept: KeptDiscrepancies): boolean {
  const before = kept[kind]
  return resolvedAt === null && (before === undefined || before.resolvedAt !== null)
}
