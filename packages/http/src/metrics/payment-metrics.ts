import type { PaymentsService } from '@cbp/core'
import type { Registry } from 'prom-client'
import { paymentStatuses } from '../payments/schemas.ts'
import { counter, gauge, type ReadInTime } from './instruments.ts'

/** Answers what brings the gauges up to date. */
export function paymentMetrics(payments: PaymentsService, registry: Registry, inTime: ReadInTime): () => Promise<void> {
  const byStatus = gauge(registry, 'cbp_payments', 'Payments by status', ['status'])
  const open = gauge(registry, 'cbp_open_discrepancies', 'Where this service and the Payment Service disagree')
  const reconciler = (name: string, help: string, count: keyof ReturnType<PaymentsService['reconcilerCounts']>): void =>
    counter(registry, `cbp_reconciler_${name}_total`, help, () => payments.reconcilerCounts()[count])
  reconciler('checks', 'Questions of the reconciler to the Payment Service', 'checks')
  reconciler('resolved', 'Payments that the reconciler brought to an end', 'resolved')
  reconciler('resent', 'Instructions that the reconciler sent again', 'resent')
  reconciler('discrepancies', 'Discrepancies that the reconciler opened', 'discrepancies')
  reconciler('unavailable', 'Questions that the Payment Service did not answer', 'unavailable')
  return async () => {
    const totals = await inTime(payments.totals().unwrapOr(null))
    byStatus.reset()
    if (totals === null) {
      open.remove()
      return
    }
    for (const status of paymentStatuses) byStatus.set({ status }, totals.byStatus[status] ?? 0)
    open.set(totals.openDiscrepancies)
  }
}
