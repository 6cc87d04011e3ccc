export type { ApplyReport, ReportOutcome, StatusReport } from './apply-report.ts'
export { applyReport } from './apply-report.ts'
export type { Answered, Idempotency, IdempotencyKeyReused, IdempotencyRecord, IdempotentOperation, RequestInFlight } from './idempotency.ts'
export type { Currency } from './money.ts'
export { amountLimit, currencies, parseCurrency } from './money.ts'
export type {
  Attempt,
  Cause,
  Discrepancy,
  DiscrepancyKind,
  HistoryEntry,
  Payee,
  Payment,
  PaymentDetails,
  PaymentId,
  PaymentReference,
  PaymentStatus,
} from './payment.ts'
export { metadataNamePattern, paymentLimits, plainTextPattern } from './payment-details.ts'
export type {
  AmendPayment,
  CancelPayment,
  CreatePayment,
  DuplicateReference,
  GetPayment,
  InvalidPayment,
  ListPayments,
  PaymentAmendment,
  PaymentHistory,
  PaymentMatch,
  PaymentNotFound,
  PaymentStateConflict,
  PaymentsPorts,
  PaymentsService,
  ProcessPayment,
  ReconcilerCounts,
  StalePayment,
  Verification,
  VerifyPayment,
} from './payments-service.ts'
export { paymentsService } from './payments-service.ts'
export type {
  Instruction,
  InstructionRefused,
  PaymentService,
  PaymentServiceUnavailable,
  RemotePayment,
  RemoteStatus,
} from './ports/payment-service.ts'
export type { PaymentFilter, PaymentRecords, PaymentStore, PaymentTotals } from './ports/payment-store.ts'
