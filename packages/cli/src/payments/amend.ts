import type { Currency, Payment, PaymentAmendment } from '@cbp/core'
import { err, ok, safeTry } from 'neverthrow'
import { actorOf } from '../identity/actor.ts'
import { type Failure, usageFailure } from '../output/failure.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { metadataOf, readPaymentId } from './inputs.ts'
import { paymentAnswer, wireOf } from './payment-answer.ts'

export type AmendOptions = Readonly<{
  amount?: number
  currency?: string
  payeeId?: string
  payeeName?: string
  metadata?: readonly (readonly [string, string])[]
  ifVersion?: number
}>

export const amendPayment: Action<[id: string], AmendOptions> = async (session, options, id) => {
  const read = readPaymentId(id)
  if (read.isErr()) return err(read.error)
  const { amount, currency, payeeId, payeeName, metadata } = options
  if ([amount, currency, payeeId, payeeName, metadata].every((given) => given === undefined)) {
    return err(usageFailure('nothing-to-amend', 'Nothing to change was named.', 'Name it, e.g. --amount 1300.'))
  }
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer, caller } = yield* await actorOf(session, open)
      const before = yield* settle(session, open.core.payments.get(viewer, read.value))
      const match = [options.ifVersion ?? before.version]
      const amendment = amendmentOf(before, options)
      const amended = yield* settle(session, open.core.payments.amend({ id: read.value, viewer, caller, match, amendment }))
      return ok(paymentAnswer(wireOf(amended), `The payment is amended; it is at version ${amended.version}.`))
    }),
  )
}

/** A payee is amended whole: what is not named of it is taken from the payment as it is. */
function amendmentOf({ payee }: Payment, { amount, currency, payeeId, payeeName, metadata }: AmendOptions): PaymentAmendment {
  const namesPayee = payeeId !== undefined || payeeName !== undefined
  return {
    ...(amount === undefined ? {} : { amount }),
    ...(currency === undefined ? {} : { currency: currency as Currency }),
    ...(namesPayee ? { payee: { id: payeeId ?? payee.id, name: payeeName ?? payee.name } } : {}),
    ...(metadata === undefined ? {} : { metadata: metadataOf(metadata) }),
  }
}
