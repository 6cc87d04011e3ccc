import type { Instant } from '../kernel/clock.ts'
import { storableText } from '../kernel/storable-text.ts'
import type { Discrepancy, DiscrepancyKind, Payment, PaymentStatus } from './payment.ts'
import type { RemoteStatus } from './ports/payment-service.ts'
import { ignored, mayBecome, moved, type Origin, type Step } from './transitions.ts'

/** How the discrepancies name what the Payment Service holds of an attempt that it does not know. */
export const notHeld = 'NONE'

/** What is known of the Payment Service's side of one payment. */
export type RemoteView = Readonly<{
  /** `null`: it knows no such attempt. */
  status: RemoteStatus | null
  occurredAt: Instant | null
  reference: string | null
  reason: string | null
  /** What it holds the payment to be about; `null` where that is not said. */
  terms: Readonly<{ amount: number; currency: string }> | null
  /**
   * `asked`: its answer, and nothing has happened to the payment here since the question. `told`: all else, which may
   * be late, and overtaken by what came before it.
   */
  evidence: 'asked' | 'told'
}>

/** The discrepancies of one payment as they are kept, resolved ones included. */
export type KeptDiscrepancies = Readonly<Partial<Record<DiscrepancyKind, Discrepancy>>>

/** What a report comes to. `payment` differs from the one judged only where something is to be recorded. */
export type Judgement = Readonly<{
  payment: Payment
  steps: readonly Step[]
  /** New states of discrepancies. */
  discrepancies: readonly Discrepancy[]
}>

/** Not final, and the Payment Service may still say how it ended. */
export function isOpen({ status }: Pick<Payment, 'status'>): boolean {
  return status === 'PROCESSING' || status === 'UNKNOWN'
}

/** Legal transitions, or a note; and where the two services disagree about money afterwards, a discrepancy (L8, L9). */
export function judgeReport(before: Payment, view: RemoteView, kept: KeptDiscrepancies, origin: Origin): Judgement {
  const steps = transitionsFor(before, view, origin)
  const moved = steps.at(-1)?.payment ?? before
  const discrepancies = [...judgeStatus(before, moved, view, kept.status ?? null, origin.at), ...judgeTerms(moved, view, kept, origin.at)]
  if (steps.length === 0 && mustBeNoted(discrepancies, origin)) steps.push(ignored(before, noteOf(before, view), origin))
  const noted = steps.at(-1)?.payment ?? before
  const isDisputed = Object.values({ ...kept, ...byKind(discrepancies) }).some(({ resolvedAt }) => resolvedAt === null)
  const isChanged = steps.length > 0 || discrepancies.length > 0
  const payment = isDisputed || isOpen(noted) ? withNextCheck(noted, view, isChanged, origin) : settled(before, noted, view, origin.at)
  return { payment, steps, discrepancies }
}

/**
 * The transitions that lead to what is reported. A reversal of a payment whose completion never came says both: it was
 * completed and reversed, each a transition with its own event.
 */
function targets({ status }: Payment, view: RemoteView, cause: Origin['cause']): readonly PaymentStatus[] {
  const to = view.status
  if (to === null || to === 'PROCESSING') return []
  if (to !== 'REVERSED' || status === 'COMPLETED') return mayBecome(status, to, cause) ? [to] : []
  return mayBecome(status, 'COMPLETED', cause) ? ['COMPLETED', 'REVERSED'] : []
}

function transitionsFor(before: Payment, view: RemoteView, origin: Origin): Step[] {
  const steps: Step[] = []
  let payment = before
  for (const to of targets(before, view, origin.cause)) {
    const failure = to === 'FAILED' ? (view.reason ?? 'the Payment Service gave no reason') : null
    const changes = { failure, remoteReference: view.reference ?? payment.remoteReference }
    const next = moved(payment, to, changes, view.reason, origin)
    steps.push(next)
    payment = next.payment
  }
  return steps
}

/** Whether money has moved and stayed. */
function holds(status: PaymentStatus | RemoteStatus | null): boolean {
  return status === 'COMPLETED'
}

/** What a payment that is now at a status has been at before: told of once more, it says nothing new. */
function isLate(status: PaymentStatus, view: RemoteView): boolean {
  if (view.evidence === 'asked') return false
  if (view.status === 'PROCESSING') return status === 'COMPLETED' || status === 'FAILED' || status === 'REVERSED'
  return view.status === 'COMPLETED' && status === 'REVERSED'
}

function judgeStatus(before: Payment, after: Payment, view: RemoteView, kept: Discrepancy | null, at: Instant): readonly Discrepancy[] {
  if (isOpen(after) || (after === before && isLate(after.status, view))) return []
  const theirs = view.status ?? notHeld
  const isOpenAlready = kept !== null && kept.resolvedAt === null
  if (holds(after.status) !== holds(view.status)) {
    if (isOpenAlready && kept.ours === after.status && kept.theirs === theirs) return []
    const openedAt = isOpenAlready ? kept.openedAt : at
    return [{ paymentId: after.id, kind: 'status', ours: after.status, theirs, openedAt, resolvedAt: null }]
  }
  return isOpenAlready && settles(kept, after, view) ? [{ ...kept, resolvedAt: at }] : []
}

/** Whether an agreeing report is surely later than what opened the discrepancy: an older one, delayed, must not resolve it. */
function settles({ theirs, openedAt }: Discrepancy, { attempt }: Payment, { evidence, status, occurredAt }: RemoteView): boolean {
  if (evidence === 'asked' || status === theirs) return true
  if (theirs === 'COMPLETED' && status === 'REVERSED') return true
  // The clocks of two services may differ: what they say counts only where there is no attempt to ask after.
  return attempt === null && occurredAt !== null && occurredAt > openedAt
}

/** The terms of an attempt are settled when it is sent, so that whichever report names them counts. */
function judgeTerms(payment: Payment, view: RemoteView, kept: KeptDiscrepancies, at: Instant): readonly Discrepancy[] {
  const differing = differingTerms(payment, view)
  const kinds = view.terms === null ? [] : (['amount', 'currency'] as const)
  return kinds.flatMap((kind): readonly Discrepancy[] => {
    const found = differing.find((each) => each.kind === kind)
    const open = kept[kind]?.resolvedAt === null ? kept[kind] : null
    if (found === undefined) return open ? [{ ...open, resolvedAt: at }] : []
    if (open?.ours === found.ours && open.theirs === found.theirs) return []
    return [{ paymentId: payment.id, ...found, openedAt: open?.openedAt ?? at, resolvedAt: null }]
  })
}

/** Amount and currency where the Payment Service's differ. */
export function differingTerms(
  payment: Payment,
  { terms }: Pick<RemoteView, 'terms'>,
): readonly Pick<Discrepancy, 'kind' | 'ours' | 'theirs'>[] {
  if (terms === null) return []
  return (['amount', 'currency'] as const).flatMap((kind) =>
    terms[kind] === payment[kind] ? [] : [{ kind, ours: String(payment[kind]), theirs: String(terms[kind]) }],
  )
}

/** Every webhook leaves its line; what this service asked for only where it makes a difference. */
function mustBeNoted(discrepancies: readonly Discrepancy[], { cause }: Origin): boolean {
  return cause === 'webhook' || discrepancies.some(({ kind, resolvedAt }) => kind === 'status' && resolvedAt === null)
}

function noteOf({ status }: Payment, view: RemoteView): string {
  const told = view.status ?? notHeld
  const reason = view.reason === null ? '' : `: ${view.reason}`
  return detailOf(`reported ${told} while ${status}${reason}`)
}

const detailLimit = 500

/** A text from outside as a line of history takes it. */
export function detailOf(text: string): string {
  return storableText(text, detailLimit)
}

function byKind(discrepancies: readonly Discrepancy[]): KeptDiscrepancies {
  return Object.fromEntries(discrepancies.map((each) => [each.kind, each]))
}

/**
 * An open payment is asked about as it was begun; an answer that came where only a webhook or the reconciler may settle
 * sends the reconciler at once. A disputed one is asked about at once after news of it, else whenever its check put it.
 */
function withNextCheck(payment: Payment, view: RemoteView, isChanged: boolean, { cause, at }: Origin): Payment {
  if (payment.attempt === null) return payment
  if (isOpen(payment)) {
    const isForTheReconciler = payment.status === 'UNKNOWN' && cause === 'instruction'
    return isForTheReconciler ? { ...payment, checkAt: at } : payment
  }
  if (view.evidence === 'asked' && !isChanged && payment.checkAt !== null) return payment
  return view.evidence === 'told' ? { ...payment, checkAt: at, checks: 0 } : { ...payment, checkAt: payment.checkAt ?? at }
}

/** Settled and undisputed. */
function settled(before: Payment, payment: Payment, view: RemoteView, at: Instant): Payment {
  const checkAt = nextQuestion(before, payment, view, at)
  return checkAt === payment.checkAt ? payment : { ...payment, checkAt, checks: 0 }
}

/**
 * Of an instruction that nobody has heard an answer to: at once. A webhook that says it was completed does not say with
 * what amount; so the question is put, and stays until answered. All else is looked at again for a while, because what
 * becomes of it later may be told by a webhook that never comes.
 */
function nextQuestion(before: Payment, payment: Payment, { evidence, terms }: RemoteView, at: Instant): Instant | null {
  if (payment.attempt === null || (payment.status !== 'COMPLETED' && payment.status !== 'FAILED')) return null
  const isAnswer = evidence === 'asked' || terms !== null
  if (!isAnswer && !isOpen(before)) return before.checkAt
  return !isAnswer && before.status === 'UNKNOWN' && holds(payment.status) ? at : nextLook(payment, at)
}

const hourMs = 3_600_000
/** So long after it was settled: nothing visible changes a settled payment but its reversal, which is looked at no more. */
const looksAfterMs: readonly number[] = [hourMs, 24 * hourMs, 7 * 24 * hourMs, 30 * 24 * hourMs]

function nextLook({ updatedAt }: Payment, at: Instant): Instant | null {
  return looksAfterMs.map((afterMs) => updatedAt + afterMs).find((look) => look > at) ?? null
}
