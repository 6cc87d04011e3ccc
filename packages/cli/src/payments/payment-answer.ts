import type { Answered, HistoryEntry, Payment, PaymentStatus } from '@cbp/core'
import { timestamp } from '@cbp/core'
import { paymentBody, readKeptAnswer } from '@cbp/http/bodies'
import { type ExitCode, exitCodes } from '../output/failure.ts'
import { renderFields } from '../output/fields.ts'
import { moneyText } from '../output/money.ts'
import { plain, type Style } from '../output/style.ts'
import { renderTable } from '../output/table.ts'
import type { Answer } from '../session.ts'

/** A payment on the wire, as far as it is looked at here; an answer that was kept may be of another version. */
export type PaymentWire = Readonly<{
  id: string
  status: PaymentStatus
  amount: number
  currency: string
  payee: Readonly<{ id: string; name: string }>
  userId: string
  reference: string | null
  metadata: Readonly<Record<string, string>>
  client: string
  version: number
  createdAt: string
  updatedAt: string
  failure: string | null
  remoteReference: string | null
}>

export function wireOf(payment: Payment): PaymentWire {
  return paymentBody(payment) as PaymentWire
}

/** The first answer, whoever repeats the request: both hosts keep it in one form. */
export function answeredWire({ answer }: Answered<Payment>): PaymentWire {
  return JSON.parse(readKeptAnswer(answer).body) as PaymentWire
}

export function paymentAnswer(payment: PaymentWire, headline: string, exitCode: ExitCode = exitCodes.done): Answer {
  const mark = (style: Style): string => (exitCode === exitCodes.done ? style.paint('green', '✔') : style.paint('red', '✘'))
  return {
    json: payment,
    text: (style) => `${mark(style)} ${plain(headline)}\n${paymentFields(style, payment)}`,
    exitCode,
  }
}

export function paymentFields(style: Style, payment: PaymentWire): string {
  const metadata = Object.entries(payment.metadata).map(([name, value]) => `${name}=${value}`)
  return renderFields(style, [
    ['id', payment.id],
    ['status', payment.status],
    ['amount', moneyText(payment.amount, payment.currency)],
    ['payee', `${payment.payee.name} (${payment.payee.id})`],
    ['user', payment.userId],
    ['reference', payment.reference],
    ['metadata', metadata.length === 0 ? null : metadata.join(', ')],
    ['client', payment.client],
    ['version', String(payment.version)],
    ['created', payment.createdAt],
    ['updated', payment.updatedAt],
    ['failure', payment.failure],
    ['remote reference', payment.remoteReference],
  ])
}

const historyColumns = [
  { title: '#', align: 'right' },
  { title: 'time' },
  { title: 'what' },
  { title: 'by' },
  { title: 'cause' },
  { title: 'detail' },
] as const

export function historyTable(style: Style, entries: readonly HistoryEntry[]): string {
  const rows = entries.map(({ number, recordedAt, actor, cause, detail, ...entry }) => [
    String(number),
    timestamp(recordedAt),
    whatHappened(entry),
    actor,
    cause,
    detail ?? '',
  ])
  return renderTable(style, historyColumns, rows)
}

function whatHappened({ kind, from, to }: Pick<HistoryEntry, 'kind' | 'from' | 'to'>): string {
  switch (kind) {
    case 'created':
      return `created ${to}`
    case 'transition':
      return `${from ?? ''} → ${to}`
    case 'amended':
      return 'amended'
    case 'ignored':
      return `${to} reported, without effect`
  }
}
