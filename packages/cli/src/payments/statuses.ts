import type { PaymentStatus } from '@cbp/core'

/** Whether a payment in this state waits for nothing any more. */
const isFinalIn: Readonly<Record<PaymentStatus, boolean>> = {
  PENDING: false,
  PROCESSING: false,
  COMPLETED: true,
  FAILED: true,
  UNKNOWN: false,
  CANCELLED: true,
  REVERSED: true,
}

export const paymentStatuses: readonly PaymentStatus[] = Object.keys(isFinalIn) as PaymentStatus[]

export function isFinal(status: PaymentStatus): boolean {
  return isFinalIn[status]
}
