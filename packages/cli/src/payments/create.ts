import type { Currency, PaymentDetails } from '@cbp/core'
import { createdAnswer } from '@cbp/http/bodies'
import { err, ok, safeTry } from 'neverthrow'
import { actorOf } from '../identity/actor.ts'
import type { Failure } from '../output/failure.ts'
import { moneyText } from '../output/money.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { metadataOf, readIdempotencyKey } from './inputs.ts'
import { answeredWire, paymentAnswer } from './payment-answer.ts'

export type CreateOptions = Readonly<{
  amount: number
  currency: string
  payeeId: string
  payeeName: string
  user: string
  reference?: string
  metadata?: readonly (readonly [string, string])[]
  idempotencyKey?: string
}>

export const createPayment: Action<[], CreateOptions> = async (session, options) => {
  const key = readIdempotencyKey(session, options.idempotencyKey)
  if (key.isErr()) return err(key.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { caller } = yield* await actorOf(session, open)
      const command = { details: detailsOf(options), caller, idempotency: { key: key.value, answerOf: createdAnswer } }
      const answered = yield* settle(session, open.core.payments.create(command))
      const payment = answeredWire(answered)
      const told = answered.value === null ? 'was made before, by this key' : 'is made'
      return ok(paymentAnswer(payment, `A payment of ${moneyText(payment.amount, payment.currency)} ${told}.`))
    }),
  )
}

/** Whether they are acceptable is for core to say. */
function detailsOf({ amount, currency, payeeId, payeeName, user, reference, metadata = [] }: CreateOptions): PaymentDetails {
  return {
    amount,
    currency: currency as Currency,
    payee: { id: payeeId, name: payeeName },
    userId: user,
    reference: reference ?? null,
    metadata: metadataOf(metadata),
  }
}
