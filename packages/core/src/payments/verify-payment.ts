import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Viewer } from '../kernel/viewer.ts'
import { isConclusive } from './attempts.ts'
import { differingTerms, isOpen, notHeld } from './judge-report.ts'
import type { Discrepancy, Payment, PaymentId } from './payment.ts'
import type { PaymentNotFound, Verification, VerifyPayment } from './payments-service.ts'
import type { PaymentService, PaymentServiceUnavailable, RemotePayment } from './ports/payment-service.ts'
import type { PaymentStore } from './ports/payment-store.ts'
import { visiblePayment } from './read-payments.ts'

type Dependencies = Readonly<{ store: PaymentStore; paymentService: PaymentService; clock: Clock }>
type Difference = Verification['discrepancies'][number]

export function verifyPayment(deps: Dependencies): VerifyPayment {
  return (viewer, id) => new ResultAsync(verify(deps, viewer, id))
}

async function verify(
  { store, paymentService, clock }: Dependencies,
  viewer: Viewer,
  id: PaymentId,
): Promise<Result<Verification, PaymentNotFound | PaymentServiceUnavailable | StoreUnavailable>> {
  const visible = await visiblePayment(store, viewer, id)
  if (visible.isErr()) return err(visible.error)
  const payment = visible.value
  const kept = await store.discrepancies(id)
  if (kept.isErr()) return err(kept.error)
  const open = kept.value.filter(({ resolvedAt }) => resolvedAt === null)
  const askedAt = clock.now()
  const { attempt } = payment
  const found = attempt === null ? ok(null) : await paymentService.find(attempt.id)
  if (found.isErr()) return err(found.error)
  const remote = found.value
  const mayYetBegin = remote === null && attempt !== null && !isConclusive(attempt, askedAt)
  const now = mayYetBegin ? [] : differences(payment, remote)
  const discrepancies = [
    ...now.map((each): Difference => ({ ...each, openedAt: open.find(({ kind }) => kind === each.kind)?.openedAt ?? askedAt })),
    ...open.filter(({ kind }) => now.every((each) => each.kind !== kind)).map(withoutEnd),
  ]
  // What the Payment Service has not received yet contradicts nothing, but is not confirmed either.
  const isConfirmed = !(mayYetBegin && isOpen(payment))
  return ok({ payment, verified: isConfirmed && discrepancies.length === 0, remote, discrepancies })
}

function differences(payment: Payment, remote: RemotePayment | null): readonly Omit<Difference, 'openedAt'>[] {
  const { id: paymentId, status } = payment
  const theirs = remote?.status ?? notHeld
  const terms = differingTerms(payment, { terms: remote }).map((each) => ({ paymentId, ...each }))
  return agrees(payment, remote) ? terms : [{ paymentId, kind: 'status', ours: status, theirs }, ...terms]
}

/** Whether one service's word is what the other may say at the same moment. */
function agrees({ status }: Payment, remote: RemotePayment | null): boolean {
  if (remote === null) return status === 'PENDING' || status === 'CANCELLED' || status === 'FAILED'
  return status === remote.status || (status === 'UNKNOWN' && remote.status === 'PROCESSING')
}

function withoutEnd({ paymentId, kind, ours, theirs, openedAt }: Discrepancy): Difference {
  return { paymentId, kind, ours, theirs, openedAt }
}
