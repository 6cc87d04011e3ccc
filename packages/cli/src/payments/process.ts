import type { PaymentId, Viewer } from '@cbp/core'
import { processedAnswer } from '@cbp/http/bodies'
import { err, ok, type Result, safeTry } from 'neverthrow'
import type { OpenCore } from '../host.ts'
import { actorOf } from '../identity/actor.ts'
import { exitCodes, type Failure, unavailable } from '../output/failure.ts'
import { moneyText } from '../output/money.ts'
import { type Action, type Answer, interruption, type Session } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { readIdempotencyKey, readPaymentId } from './inputs.ts'
import { answeredWire, type PaymentWire, paymentAnswer, wireOf } from './payment-answer.ts'
import { isFinal } from './statuses.ts'

export type ProcessOptions = Readonly<{ idempotencyKey?: string; wait?: boolean; timeout: number }>

const firstLookMs = 100
const laterLooksMs = 1_000

export const processPayment: Action<[id: string], ProcessOptions> = async (session, options, id) => {
  const inputs = readPaymentId(id).andThen((read) => readIdempotencyKey(session, options.idempotencyKey).map((key) => ({ id: read, key })))
  if (inputs.isErr()) return err(inputs.error)
  const { key } = inputs.value
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer, caller } = yield* await actorOf(session, open)
      const command = { id: inputs.value.id, viewer, caller, idempotency: { key, answerOf: processedAnswer } }
      const payment = answeredWire(yield* settle(session, open.core.payments.process(command)))
      if (options.wait !== true) return ok(endAnswer(payment))
      return ok(endAnswer(yield* await waitForEnd(session, open, viewer, inputs.value.id, options.timeout)))
    }),
  )
}

function endAnswer(payment: PaymentWire): Answer {
  const { id, status } = payment
  const sum = moneyText(payment.amount, payment.currency)
  if (status === 'FAILED') return paymentAnswer(payment, `The payment of ${sum} failed.`, exitCodes.refused)
  if (isFinal(status)) return paymentAnswer(payment, `The payment of ${sum} is ${status}.`)
  return paymentAnswer(payment, `The payment of ${sum} is under way (${status}). See how it ends with: cbp payment show ${id}`)
}

/** Webhooks and the reconciler settle it in a serving instance; here it is only looked at. */
async function waitForEnd(
  session: Session,
  { core }: OpenCore,
  viewer: Viewer,
  id: PaymentId,
  timeoutSeconds: number,
): Promise<Result<PaymentWire, Failure>> {
  const { clock } = await session.host.waiting()
  const { cancel } = session.io
  const deadline = clock.now() + timeoutSeconds * 1000
  let told = ''
  for (let pauseMs = firstLookMs; ; pauseMs = Math.min(pauseMs * 2, laterLooksMs)) {
    const read = await settle(session, core.payments.get(viewer, id))
    if (read.isErr()) return err(read.error)
    const { status } = read.value
    if (status !== told) session.progress(`${status}${isFinal(status) ? '' : ' …'}`)
    told = status
    if (isFinal(status)) return ok(wireOf(read.value))
    const leftMs = deadline - clock.now()
    if (leftMs <= 0) return err(stillUnderWay(id, status, timeoutSeconds))
    await clock.sleep(Math.min(pauseMs, leftMs), cancel)
    if (cancel.aborted) return err(interruption(cancel))
  }
}

function stillUnderWay(id: PaymentId, status: string, timeoutSeconds: number): Failure {
  return {
    ...unavailable(
      'deadline-exceeded',
      `The payment is still ${status} after ${timeoutSeconds} s. It goes on by itself.`,
      `Its end is received by a serving instance: is one running (cbp serve)? Look again with: cbp payment show ${id}`,
    ),
    members: { id, status },
  }
}
