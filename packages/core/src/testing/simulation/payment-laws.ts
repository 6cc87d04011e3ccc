import { timestamp } from '../../kernel/clock.ts'
import type { Discrepancy, HistoryEntry, Payment, PaymentId, RemotePayment } from '../../payments/index.ts'
import type { FakePaymentService } from '../../payments/testing/fake-payment-service.ts'
import { mayBecome } from '../../payments/transitions.ts'
import type { StorePorts } from '../fake-store/fake-store.ts'
import type { History, KeyedRequest, Violation } from './history.ts'
import { sure } from './truth.ts'

const everything = 1_000_000

/** One payment with all that is kept of it. */
export type LedgerLine = Readonly<{
  payment: Payment
  entries: readonly HistoryEntry[]
  discrepancies: readonly Discrepancy[]
  /** What the Payment Service knows of its attempt. */
  remote: RemotePayment | null
}>
export type Ledger = ReadonlyMap<PaymentId, LedgerLine>

export async function readLedger({ paymentStore }: StorePorts, service: FakePaymentService): Promise<Ledger> {
  const all = { client: null, status: null, userId: null, from: null, to: null }
  const ledger = new Map<PaymentId, LedgerLine>()
  for (const payment of sure(await paymentStore.payments(all, null, everything))) {
    const entries = sure(await paymentStore.history(payment.id, 0, everything))
    const discrepancies = sure(await paymentStore.discrepancies(payment.id))
    const remote = payment.attempt === null ? null : sure(await service.find(payment.attempt.id))
    ledger.set(payment.id, { payment, entries, discrepancies, remote })
  }
  return ledger
}

export function paymentViolations(history: History, ledger: Ledger, remote: FakePaymentService): readonly Violation[] {
  return [
    ...[...ledger.values()].flatMap((line) => [...courseViolations(line), ...failureViolations(line), ...holdingViolations(line, remote)]),
    ...sightingViolations(history, ledger),
    ...keyViolations(history.requests, ledger),
    ...inboundViolations(history, ledger),
  ]
}

/** L8: a history without gaps, of listed transitions only, that leads to the payment as it is. */
function courseViolations({ payment, entries }: LedgerLine): readonly Violation[] {
  const found: Violation[] = []
  const breach = (detail: string): void => void found.push({ law: 'L8', detail: `${payment.id}: ${detail}` })
  let status: Payment['status'] | null = null
  let version = 0
  entries.forEach((entry, index) => {
    if (entry.number !== index + 1) breach(`entry ${index + 1} is numbered ${entry.number}`)
    if (entry.from !== status) breach(`entry ${entry.number} begins at ${entry.from} after ${status}`)
    if (entry.kind === 'transition' && !(status !== null && mayBecome(status, entry.to, entry.cause)))
      breach(`${status} became ${entry.to} by ${entry.cause}`)
    if (entry.kind === 'amended' && (status !== 'PENDING' || entry.to !== 'PENDING')) breach(`was amended while ${status}`)
    if (entry.kind === 'ignored' && entry.to !== status) breach(`an ignored report made it ${entry.to}`)
    const expected = entry.kind === 'ignored' ? version : version + 1
    if (entry.version !== expected) breach(`entry ${entry.number} has version ${entry.version} instead of ${expected}`)
    status = entry.to
    version = entry.version
  })
  if (status !== payment.status || version !== payment.version || entries.length !== payment.entries)
    breach(`is ${payment.status} at version ${payment.version}, and its history says ${status} at ${version}`)
  return found
}

/** L9: a failure is what the Payment Service says, or what it can no longer contradict; never a guess. */
function failureViolations({ payment, entries, remote }: LedgerLine): readonly Violation[] {
  const isGuessed = entries.some(({ kind, to, cause }) => kind === 'transition' && to === 'FAILED' && cause !== 'webhook')
  if (!isGuessed || remote === null || remote.status === 'FAILED') return []
  return [{ law: 'L9', detail: `${payment.id} was taken for failed, and the Payment Service has it ${remote.status}` }]
}

/** L9: what counts as paid here is what the Payment Service holds, or a discrepancy is open. L10: carried out at most once. */
function holdingViolations({ payment, discrepancies }: LedgerLine, remote: FakePaymentService): readonly Violation[] {
  const { id, status, amount } = payment
  const found: Violation[] = []
  const held = remote.held().get(id)
  const open = discrepancies.filter(({ resolvedAt }) => resolvedAt === null)
  const isOpen = (kind: Discrepancy['kind']): boolean => open.some((each) => each.kind === kind)
  const agrees = (status === 'COMPLETED') === (held !== undefined)
  if (!agrees && !isOpen('status'))
    found.push({
      law: 'L9',
      detail: `${id} is ${status}, the Payment Service holds ${held?.status ?? 'nothing'}, and no discrepancy is open`,
    })
  if (held !== undefined && held.amount !== amount && !isOpen('amount'))
    found.push({ law: 'L9', detail: `${id} is about ${amount}, the Payment Service holds ${held.amount}` })
  if (agrees && isOpen('status')) found.push({ law: 'L9', detail: `${id}: a discrepancy is open though both agree on ${status}` })
  if (status === 'PROCESSING' || status === 'UNKNOWN') found.push({ law: 'L9', detail: `${id} never ended: it is still ${status}` })
  const executions = remote.executions(id)
  if (executions > 1) found.push({ law: 'L10', detail: `${id} was carried out ${executions} times` })
  if (executions > 0 && payment.attempt === null) found.push({ law: 'L10', detail: `${id} was carried out and never begun` })
  return found
}

/** L8: what anybody was shown has been so. L2: one version is the work of one writer. */
function sightingViolations({ sightings, paymentWrites }: History, ledger: Ledger): readonly Violation[] {
  const found: Violation[] = []
  for (const { id, version, status } of sightings) {
    const entry = ledger.get(id)?.entries.find((each) => each.version === version && each.kind !== 'ignored')
    if (entry?.to !== status)
      found.push({ law: 'L8', detail: `${id} was shown ${status} at version ${version}, and was ${entry?.to ?? 'not there'}` })
  }
  for (const [place, writes] of Map.groupBy(paymentWrites, ({ id, version }) => `${id} at version ${version}`)) {
    if (writes.length > 1) found.push({ law: 'L2', detail: `${place} was acknowledged to ${writes.length} writers` })
  }
  return found
}

/** L10: one key, one payment, one answer. */
function keyViolations(requests: readonly KeyedRequest[], ledger: Ledger): readonly Violation[] {
  const found: Violation[] = []
  const breach = (detail: string): void => void found.push({ law: 'L10', detail })
  const payments = Array.from(ledger.values(), ({ payment }) => payment)
  const byKey = Map.groupBy(payments, ({ metadata }) => metadata['key'])
  for (const { operation, key, answers, refusals, hasOtherBody, ownReference } of requests) {
    if (new Set(answers).size > 1) breach(`${key} was answered differently: ${answers.join(' and ')}`)
    if (!hasOtherBody && refusals.includes('idempotency-key-reused')) breach(`${key} was taken for another request`)
    if (operation === 'process') continue
    const made = byKey.get(key) ?? []
    if (made.length > 1) breach(`${key} made ${made.length} payments`)
    if (answers.length > 0 && made.length === 0) breach(`${key} was acknowledged and made no payment`)
    if (ownReference && refusals.includes('duplicate-reference')) breach(`${key} met its own reference`)
  }
  const referenced = payments.filter(({ reference }) => reference !== null)
  for (const [name, made] of Map.groupBy(referenced, ({ client, reference }) => `${client}: ${reference}`)) {
    if (made.length > 1) breach(`${name} names ${made.length} payments`)
  }
  return found
}

/** L16: each message of the Payment Service took effect once if it was acknowledged, at most once otherwise; forgeries never. */
function inboundViolations({ messages }: History, ledger: Ledger): readonly Violation[] {
  const found: Violation[] = []
  const reported = [...ledger.values()].flatMap(({ entries }) => entries).filter(({ cause }) => cause === 'webhook')
  const byRequest = Map.groupBy(reported, ({ requestId }) => requestId ?? '')
  for (const [requestId, entries] of byRequest) {
    if (requestId.startsWith('forged')) found.push({ law: 'L16', detail: `${requestId} left a trace` })
    else if (entries.length > 1 && !isCompletedAndReversed(entries))
      found.push({ law: 'L16', detail: `${requestId} took effect ${entries.length} times` })
  }
  for (const { id, isAcknowledged } of messages) {
    if (isAcknowledged && !byRequest.has(`webhook ${id}`)) found.push({ law: 'L16', detail: `${id} was acknowledged and left no trace` })
  }
  return found
}

/** A reversal of a payment whose completion was never told says both, in one unit. */
function isCompletedAndReversed(entries: readonly HistoryEntry[]): boolean {
  const [first, second, ...more] = entries
  return more.length === 0 && first?.to === 'COMPLETED' && second?.to === 'REVERSED' && second.number === first.number + 1
}

/** L11: the events that the history of a payment calls for. */
export function expectedEvents({ entries }: LedgerLine): readonly string[] {
  return entries
    .filter(({ kind }) => kind !== 'ignored')
    .map(({ kind, to, recordedAt }) => {
      const type = kind === 'created' ? 'PAYMENT_CREATED' : to === 'CANCELLED' ? 'PAYMENT_DELETED' : 'PAYMENT_UPDATED'
      return `${type} ${to} ${timestamp(recordedAt)}`
    })
}
