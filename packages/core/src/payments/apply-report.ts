import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock, Instant } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { Transaction } from '../transaction.ts'
import { concernsDiscrepancies, detailOf, judgeReport, type KeptDiscrepancies, type RemoteView } from './judge-report.ts'
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
  const found = await tx.payments.find({ id: paymentId })
  if (found.isErr()) return err(found.error)
  if (found.value === null) return ok(null)
  const view: RemoteView = { status, occurredAt, reference, reason, terms: null, evidence: 'told' }
  const actor = cause === 'reconciler' ? 'reconciler' : 'payment-service'
  const recorded = await recordView(ids, tx, found.value, view, { actor, cause, requestId, traceparent, at: clock.now() })
  return recorded.map(({ payment }) => (payment.version > (found.value?.version ?? 0) ? 'effect' : 'recorded'))
}

export type RecordedView = Readonly<{
  payment: Payment
  /** How many discrepancies it opened. */
  opened: number
}>

/** The same for a payment that this unit has found and not recorded yet. */
export async function recordView(
  ids: IdSource,
  tx: Transaction,
  before: Payment,
  told: RemoteView,
  origin: Origin,
): Promise<Result<RecordedView, StoreUnavailable>> {
  const { reference, reason } = told
  const view = { ...told, reference: reference && detailOf(reference), reason: reason && detailOf(reason) }
  const kept = concernsDiscrepancies(before, view) ? await keptDiscrepancies(tx, before.id) : ok({})
  if (kept.isErr()) return err(kept.error)
  const { payment, steps, discrepancies } = judgeReport(before, view, kept.value, origin)
  if (payment !== before) tx.payments.update(payment)
  recordSteps(ids, tx, steps, origin)
  for (const discrepancy of discrepancies) recordDiscrepancy(tx, discrepancy, kept.value)
  return ok({ payment, opened: discrepancies.filter((each) => isNewlyOpen(each, kept.value)).length })
}

const kinds: readonly DiscrepancyKind[] = ['status', 'amount', 'currency']

async function keptDiscrepancies(tx: Transaction, paymentId: PaymentId): Promise<Result<KeptDiscrepancies, StoreUnavailable>> {
  const kept: Partial<Record<DiscrepancyKind, Discrepancy>> = {}
  for (const kind of kinds) {
    const found = await tx.discrepancies.find({ paymentId, kind })
    if (found.isErr()) return err(found.error)
    if (found.value !== null) kept[kind] = found.value
  }
  return ok(kept)
}

function recordDiscrepancy(tx: Transaction, discrepancy: Discrepancy, kept: KeptDiscrepancies): void {
  if (kept[discrepancy.kind] === undefined) tx.discrepancies.insert(discrepancy)
  else tx.discrepancies.update(discrepancy)
}

function isNewlyOpen({ kind, resolvedAt }: Discrepancy, kept: KeptDiscrepancies): boolean {
  const before = kept[kind]
  return resolvedAt === null && (before === undefined || before.resolvedAt !== null)
}
