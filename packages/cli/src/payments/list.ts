import { type Payment, type PaymentFilter, type PaymentStatus, timestamp } from '@cbp/core'
import { paymentBody } from '@cbp/http/bodies'
import { err, ok, safeTry } from 'neverthrow'
import { actorOf } from '../identity/actor.ts'
import { readInstant, readOptionalId } from '../inputs.ts'
import type { Failure } from '../output/failure.ts'
import { moneyText } from '../output/money.ts'
import { pageAnswer } from '../output/page-answer.ts'
import { readPages } from '../paging.ts'
import type { Action, Answer } from '../session.ts'
import { usingCore } from '../settle.ts'

export type ListOptions = Readonly<{
  status?: PaymentStatus
  user?: string
  from?: string
  to?: string
  limit: number
  before?: string
  all?: boolean
}>

const columns = [
  { title: 'id' },
  { title: 'status' },
  { title: 'amount', align: 'right' },
  { title: 'payee' },
  { title: 'user' },
  { title: 'reference' },
  { title: 'created' },
] as const

export const listPayments: Action<[], ListOptions> = async (session, { status, user, from, to, limit, before, all = false }) => {
  const inputs = safeTry(function* () {
    const filter: Omit<PaymentFilter, 'client'> = {
      status: status ?? null,
      userId: user ?? null,
      from: yield* readInstant('--from', from),
      to: yield* readInstant('--to', to),
    }
    return ok({ filter, start: yield* readOptionalId('--before', before) })
  })
  if (inputs.isErr()) return err(inputs.error)
  const { filter, start } = inputs.value
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer } = yield* await actorOf(session, open)
      const page = yield* await readPages(session, { start, limit, all }, (position, count) =>
        open.core.payments.list(viewer, filter, position, count),
      )
      const listing = { older: 'payments', none: 'There are no such payments.', body: paymentBody, columns, row: rowOf }
      return ok<Answer, Failure>(pageAnswer(session, page, listing))
    }),
  )
}

function rowOf({ id, status, amount, currency, payee, userId, reference, createdAt }: Payment): readonly string[] {
  return [id, status, moneyText(amount, currency), payee.name, userId, reference ?? '', timestamp(createdAt)]
}
