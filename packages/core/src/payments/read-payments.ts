import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import { pageOf } from '../kernel/page.ts'
import { maySee, type Viewer } from '../kernel/viewer.ts'
import type { Payment, PaymentId } from './payment.ts'
import type { GetPayment, ListPayments, PaymentHistory, PaymentNotFound } from './payments-service.ts'
import type { PaymentStore } from './ports/payment-store.ts'

export function getPayment(store: PaymentStore): GetPayment {
  return (viewer, id) => new ResultAsync(visiblePayment(store, viewer, id))
}

export function listPayments(store: PaymentStore): ListPayments {
  return (viewer, filter, before, limit) =>
    store
      .payments({ ...filter, client: viewer.seesAll ? null : viewer.client }, before, limit + 1)
      .map((rows) => pageOf(rows, limit, ({ id }) => id))
}

export function paymentHistory(store: PaymentStore): PaymentHistory {
  return (viewer, id, after, limit) =>
    getPayment(store)(viewer, id)
      .andThen(() => store.history(id, after, limit + 1))
      .map((rows) => pageOf(rows, limit, ({ number }) => number))
}

export async function visiblePayment(
  store: PaymentStore,
  viewer: Viewer,
  id: PaymentId,
): Promise<Result<Payment, PaymentNotFound | StoreUnavailable>> {
  const found = await store.payment(id)
  if (found.isErr()) return err(found.error)
  if (found.value === null || !maySee(viewer, found.value.client)) return err({ kind: 'payment-not-found', id })
  return ok(found.value)
}
