import { err, ok, safeTry } from 'neverthrow'
import { readReason } from '../config/inputs.ts'
import { confirm } from '../confirm.ts'
import { actorOf } from '../identity/actor.ts'
import type { Failure } from '../output/failure.ts'
import { moneyText } from '../output/money.ts'
import { plain } from '../output/style.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { readPaymentId } from './inputs.ts'
import { paymentAnswer, wireOf } from './payment-answer.ts'

export type CancelOptions = Readonly<{ reason?: string; ifVersion?: number }>

export const cancelPayment: Action<[id: string], CancelOptions> = async (session, { reason, ifVersion }, id) => {
  const inputs = readPaymentId(id).andThen((read) =>
    (reason === undefined ? ok(null) : readReason(reason)).map((why) => ({ id: read, reason: why })),
  )
  if (inputs.isErr()) return err(inputs.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer, caller } = yield* await actorOf(session, open)
      const before = yield* settle(session, open.core.payments.get(viewer, inputs.value.id))
      // Nothing to ask about where it can no longer be cancelled: core says so.
      if (before.status === 'PENDING') {
        yield* await confirm(session, `Cancel the payment of ${moneyText(before.amount, before.currency)} to ${plain(before.payee.name)}?`)
      }
      const match = [ifVersion ?? before.version]
      const cancelled = yield* settle(session, open.core.payments.cancel({ ...inputs.value, viewer, caller, match }))
      return ok(paymentAnswer(wireOf(cancelled), 'The payment is cancelled.'))
    }),
  )
}
