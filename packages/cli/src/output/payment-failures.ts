import type {
  DuplicateReference,
  IdempotencyKeyReused,
  InvalidPayment,
  PaymentNotFound,
  PaymentServiceUnavailable,
  PaymentStateConflict,
  RequestInFlight,
  StalePayment,
} from '@cbp/core'
import { paymentStatusBody } from '@cbp/http/bodies'
import { exitCodes, type Failure } from './failure.ts'
import { plain } from './style.ts'

type PaymentFailure =
  | PaymentNotFound
  | InvalidPayment
  | DuplicateReference
  | PaymentStateConflict
  | StalePayment
  | IdempotencyKeyReused
  | RequestInFlight
  | PaymentServiceUnavailable

const { refused, conflict, notFound, unavailable } = exitCodes

const done = { amend: 'amended', cancel: 'cancelled', process: 'processed' } as const

/** What an error about a payment means at the command line. */
export function paymentFailure(error: PaymentFailure): Failure {
  switch (error.kind) {
    case 'payment-not-found':
      return {
        exitCode: notFound,
        code: error.kind,
        detail: `There is no payment ${plain(error.id)}.`,
        mend: 'List them with: cbp payment list',
      }
    case 'invalid-payment':
      return { exitCode: refused, code: error.kind, detail: 'The payment is not acceptable. Nothing was written.', errors: error.faults }
    case 'duplicate-reference':
      return {
        exitCode: conflict,
        code: error.kind,
        detail: `The reference "${plain(error.reference)}" was used before, by payment ${error.paymentId}. Nothing was written.`,
        mend: `See it with: cbp payment show ${error.paymentId}`,
        members: { reference: error.reference, paymentId: error.paymentId },
      }
    case 'payment-state-conflict':
      return {
        exitCode: conflict,
        code: error.kind,
        detail: `The payment is ${error.payment.status} and cannot be ${done[error.action]}: only what is PENDING can.`,
        members: { current: paymentStatusBody(error.payment) },
      }
    case 'stale-payment':
      return {
        exitCode: conflict,
        code: error.kind,
        detail: `The payment was changed meanwhile; it is ${error.payment.status}, at version ${error.payment.version}, now. Nothing was written.`,
        mend: `Look at it with: cbp payment show ${error.payment.id}`,
        members: { current: paymentStatusBody(error.payment) },
      }
    case 'idempotency-key-reused':
      return {
        exitCode: refused,
        code: error.kind,
        detail: `The idempotency key "${plain(error.key)}" was used for another request before. Nothing was done.`,
        mend: 'Repeat that request exactly, or take another key.',
      }
    case 'request-in-flight':
      return {
        exitCode: conflict,
        code: error.kind,
        detail: `The request with the idempotency key "${plain(error.key)}" has not been answered yet.`,
        mend: `Repeat it in ${Math.ceil(error.retryAfterMs / 1000)} s.`,
        members: { retryAfterMs: error.retryAfterMs },
      }
    case 'payment-service-unavailable':
      return {
        exitCode: unavailable,
        code: error.kind,
        detail: `The Payment Service does not answer: ${plain(error.reason)}.`,
        mend: 'Check CBP_PAYMENT_SERVICE_URL, then try again.',
      }
  }
}
