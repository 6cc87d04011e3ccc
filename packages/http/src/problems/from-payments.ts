import type {
  DuplicateReference,
  IdempotencyKeyReused,
  InvalidPayment,
  JsonValue,
  PaymentNotFound,
  PaymentServiceUnavailable,
  PaymentStateConflict,
  RequestInFlight,
  StalePayment,
} from '@cbp/core'
import { paymentStatusBody } from '../payments/bodies.ts'
import { faulty, problem } from './problem.ts'
import { type ProblemTable, retryAfter } from './problem-table.ts'

export type PaymentFailure =
  | DuplicateReference
  | IdempotencyKeyReused
  | InvalidPayment
  | PaymentNotFound
  | PaymentServiceUnavailable
  | PaymentStateConflict
  | RequestInFlight
  | StalePayment

const done: Readonly<Record<PaymentStateConflict['action'], string>> = { amend: 'amended', cancel: 'cancelled', process: 'processed' }

export const paymentProblems: ProblemTable<PaymentFailure> = {
  'payment-not-found': ({ id }) => problem('payment-not-found', `There is no payment ${id} that this token may see.`),
  'invalid-payment': ({ faults }) =>
    faulty(
      'invalid-body',
      faults.map((fault) => ({ ...fault, pointer: `#${fault.pointer}` })),
    ),
  'duplicate-reference': ({ reference, paymentId }) =>
    problem('duplicate-reference', `The reference ${reference} belongs to the payment ${paymentId}.`, { members: { paymentId } }),
  'payment-state-conflict': ({ action, payment }) =>
    problem('payment-state-conflict', `The payment is ${payment.status}; only a PENDING one can be ${done[action]}.`, {
      members: { current: paymentStatusBody(payment) as JsonValue },
    }),
  'stale-payment': ({ payment }) =>
    problem('stale-payment', `The payment is at version ${payment.version}.`, {
      members: { current: paymentStatusBody(payment) as JsonValue },
    }),
  'idempotency-key-reused': () =>
    problem('idempotency-key-reused', 'This Idempotency-Key came with another request before; nothing was done.'),
  'request-in-flight': ({ retryAfterMs }) =>
    problem('request-in-flight', 'The first request with this Idempotency-Key is still under way.', { headers: retryAfter(retryAfterMs) }),
  'payment-service-unavailable': () =>
    problem('payment-service-unavailable', 'The Payment Service does not answer.', { headers: retryAfter(2_000) }),
}
