import type { ResultAsync } from 'neverthrow'
import type { Instant } from '../../kernel/clock.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { PaymentDetails, PaymentId } from '../payment.ts'

export type RemoteStatus = 'PROCESSING' | 'COMPLETED' | 'FAILED' | 'REVERSED'

/** What the Payment Service is told to do, once for each attempt id. */
export type Instruction = Pick<PaymentDetails, 'amount' | 'currency' | 'payee' | 'userId' | 'reference' | 'metadata'> &
  Readonly<{ paymentId: PaymentId; attemptId: Uuid; notAfter: Instant; traceparent: string | null }>

/** What the Payment Service holds of one attempt. */
export type RemotePayment = Readonly<{
  attemptId: Uuid
  paymentId: PaymentId
  status: RemoteStatus
  amount: number
  currency: string
  /** Its own name for the payment. */
  reference: string | null
  /** Why it failed, where it says. */
  reason: string | null
}>

/** It will not carry out this attempt, now or later: nothing was done. */
export type InstructionRefused = Readonly<{ kind: 'instruction-refused'; reason: string }>

/** No answer. `sent` is false only where it is certain that the instruction never left. */
export type PaymentServiceUnavailable = Readonly<{ kind: 'payment-service-unavailable'; sent: boolean; reason: string }>

/**
 * Port: the service that moves the money.
 *
 * - Instructing the same attempt again, with the same content, is the same instruction and answers its present state.
 * - An attempt that has not begun by its `notAfter` never begins; from then on `find` answers `null` for ever.
 * - An attempt that has begun stays known for at least 31 days: what is settled is looked at again until then.
 * - Every call answers within a deadline of its own.
 */
export interface PaymentService {
  instruct(instruction: Instruction): ResultAsync<RemotePayment, InstructionRefused | PaymentServiceUnavailable>
  /** `null`: it knows no such attempt, yet; after `notAfter`, ever. */
  find(attemptId: Uuid): ResultAsync<RemotePayment | null, PaymentServiceUnavailable>
}
