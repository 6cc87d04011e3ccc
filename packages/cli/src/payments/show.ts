import type { HistoryEntry, PaymentId, Viewer } from '@cbp/core'
import { historyBody } from '@cbp/http/bodies'
import { err, ok, type Result, safeTry } from 'neverthrow'
import type { OpenCore } from '../host.ts'
import { actorOf } from '../identity/actor.ts'
import type { Failure } from '../output/failure.ts'
import { readPages } from '../paging.ts'
import type { Action, Answer, Session } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { readPaymentId } from './inputs.ts'
import { historyTable, paymentFields, wireOf } from './payment-answer.ts'

export const showPayment: Action<[id: string], unknown> = async (session, _options, id) => {
  const read = readPaymentId(id)
  if (read.isErr()) return err(read.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer } = yield* await actorOf(session, open)
      const payment = wireOf(yield* settle(session, open.core.payments.get(viewer, read.value)))
      const entries = yield* await wholeHistory(session, open, viewer, read.value)
      return ok<Answer, Failure>({
        json: { ...payment, history: entries.map(historyBody) },
        text: (style) => `${paymentFields(style, payment)}\n${historyTable(style, entries)}`,
      })
    }),
  )
}

export const showPaymentHistory: Action<[id: string], unknown> = async (session, _options, id) => {
  const read = readPaymentId(id)
  if (read.isErr()) return err(read.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer } = yield* await actorOf(session, open)
      const entries = yield* await wholeHistory(session, open, viewer, read.value)
      return ok<Answer, Failure>({ json: { items: entries.map(historyBody) }, text: (style) => historyTable(style, entries) })
    }),
  )
}

function wholeHistory(
  session: Session,
  { core }: OpenCore,
  viewer: Viewer,
  id: PaymentId,
): Promise<Result<readonly HistoryEntry[], Failure>> {
  const whole = { start: 0, limit: 0, all: true }
  const pages = readPages(session, whole, (after, limit) => core.payments.history(viewer, id, after ?? 0, limit))
  return pages.then((page) => page.map(({ items }) => items))
}
