import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { CancelSignal } from '../kernel/cancel.ts'
import type { Clock, Instant } from '../kernel/clock.ts'
import { type StoreUnavailable, storeUnavailable } from '../kernel/failures.ts'
import type { IdSource } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import type { Random } from '../kernel/random.ts'
import { survivingDefects, survivingStore } from '../kernel/survive-defects.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { findToJudge } from './apply-report.ts'
import { conclusiveFrom, type Heard, inquire, leaseMs, recordHeard } from './attempts.ts'
import { isOpen } from './judge-report.ts'
import type { Attempt, Payment, PaymentId } from './payment.ts'
import type { ReconcilerCounts } from './payments-service.ts'
import type { PaymentService } from './ports/payment-service.ts'
import type { PaymentStore } from './ports/payment-store.ts'
import type { Origin } from './transitions.ts'

export type ReconcilerDependencies = Readonly<{
  unitOfWork: UnitOfWork<Transaction>
  store: PaymentStore
  /** Answers within a deadline of its own. */
  paymentService: PaymentService
  ids: IdSource
  clock: Clock
  random: Random
  log: Log
}>

export interface Reconciler {
  /** Asks after what is not final, and removes expired keys, until cancelled. Several instances may run at once. */
  run(cancel: CancelSignal): Promise<void>
  counts(): ReconcilerCounts
}

const pollMs = 1000
/** Payments read at a time, and asked after at a time. */
const page = 128
const lanes = 16
const checkBackoff = { baseMs: 5000, capMs: 15 * 60_000 }
const sweepMs = 60_000
const sweepPage = 500

type Counts = { -readonly [Name in keyof ReconcilerCounts]: ReconcilerCounts[Name] }
type Machine = Readonly<{ deps: ReconcilerDependencies; counts: Counts }>

export function reconciler(given: ReconcilerDependencies): Reconciler {
  const deps: ReconcilerDependencies = { ...given, store: survivingStore(given.log, given.store) }
  const machine: Machine = { deps, counts: { checks: 0, resolved: 0, resent: 0, discrepancies: 0, unavailable: 0 } }
  return {
    counts: () => ({ ...machine.counts }),
    async run(cancel) {
      await Promise.all([checkDue(machine, cancel), sweepKeys(deps, cancel)])
    },
  }
}

async function checkDue(machine: Machine, cancel: CancelSignal): Promise<void> {
  const { store, clock } = machine.deps
  while (!cancel.aborted) {
    const due = (await store.dueForCheck(clock.now(), page)).unwrapOr([])
    const claimed = await checkAll(machine, due, cancel)
    // A full page that moved promises more of the same; anything else waits for its time.
    if (due.length < page || claimed === 0) await clock.sleep(pollMs, cancel)
  }
}

/** So many at a time that a slow answer holds up its own lane only. Answers how many this instance had to itself. */
async function checkAll(machine: Machine, due: readonly PaymentId[], cancel: CancelSignal): Promise<number> {
  const { log } = machine.deps
  const waiting = [...due]
  let claimed = 0
  const lane = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined && !cancel.aborted; id = waiting.shift()) {
      const paymentId = id
      const checked = await survivingDefects(log, () => new ResultAsync(check(machine, paymentId)), storeUnavailable)
      if (checked.unwrapOr(false)) claimed += 1
    }
  }
  await Promise.all(Array.from({ length: Math.min(lanes, due.length) }, lane))
  return claimed
}

/** Claims, asks, records: two units with the Payment Service between them. */
async function check(machine: Machine, id: PaymentId): Promise<Result<boolean, StoreUnavailable>> {
  const { deps, counts } = machine
  const { clock, paymentService: service, unitOfWork } = deps
  const claim = await unitOfWork.run((tx) => new ResultAsync(claimCheck(deps, tx, id)))
  if (claim.isErr()) return err(claim.error)
  const claimed = claim.value.value
  if (claimed === null) return ok(false)
  const { payment, attempt, next } = claimed
  counts.checks += 1
  const { heard, hasResent } = await inquire({ service, clock }, payment, attempt, null)
  if (hasResent) counts.resent += 1
  if (heard.kind === 'unavailable') {
    counts.unavailable += 1
    if (payment.checkAt === next) return ok(true)
  }
  const recorded = await unitOfWork.run((tx) => new ResultAsync(recordCheck(deps, tx, claimed, heard)))
  if (recorded.isErr()) return err(recorded.error)
  const { after, opened } = recorded.value.value
  if (isOpen(payment) && after !== null && !isOpen(after)) counts.resolved += 1
  counts.discrepancies += opened
  return ok(true)
}

type Claim = Readonly<{
  /** As claimed: nobody else asks before its `checkAt`. */
  payment: Payment
  attempt: Attempt
  /** When to ask again if this tells nothing: once it is over, the claim gives way to it. */
  next: Instant
}>

/** Puts the next check beyond the end of this one, so that of several instances one asks, and a crash costs only time. */
async function claimCheck(
  { clock, random }: ReconcilerDependencies,
  tx: Transaction,
  id: PaymentId,
): Promise<Result<Claim | null, StoreUnavailable>> {
  const found = await tx.payments.find({ id })
  if (found.isErr()) return err(found.error)
  const now = clock.now()
  if (found.value === null || found.value.checkAt === null || found.value.checkAt > now) return ok(null)
  const { attempt, checks } = found.value
  if (attempt === null) {
    tx.payments.update({ ...found.value, checkAt: null })
    return ok(null)
  }
  const next = nextCheck(attempt, checks, random, now)
  const payment = { ...found.value, checkAt: Math.max(next, now + leaseMs), checks: checks + 1 }
  tx.payments.update(payment)
  return ok({ payment, attempt, next })
}

/** Exponential, half of it jitter; but not beyond the moment from which an attempt that never began is known to have failed. */
function nextCheck(attempt: Attempt, checks: number, random: Random, now: Instant): Instant {
  const { baseMs, capMs } = checkBackoff
  const boundMs = Math.min(baseMs * 2 ** Math.min(checks + 1, 30), capMs)
  const next = now + Math.ceil(boundMs / 2 + (random.fraction() * boundMs) / 2)
  const conclusive = conclusiveFrom(attempt)
  return now < conclusive ? Math.min(next, conclusive) : next
}

type Checked = Readonly<{ after: Payment | null; opened: number }>

async function recordCheck(
  { ids, clock }: ReconcilerDependencies,
  tx: Transaction,
  { payment: asked, next }: Claim,
  heard: Heard,
): Promise<Result<Checked, StoreUnavailable>> {
  const found = await findToJudge(tx, asked.id)
  if (found.isErr()) return err(found.error)
  if (found.value === null) return ok({ after: null, opened: 0 })
  const { payment: held, kept } = found.value
  const { version, entries, checkAt } = held
  const evidence = version === asked.version && entries === asked.entries ? 'asked' : 'told'
  const origin: Origin = { actor: 'reconciler', cause: 'reconciler', requestId: null, traceparent: null, at: clock.now() }
  const isClaimed = checkAt === asked.checkAt && checkAt !== next
  const before = isClaimed ? { ...held, checkAt: next } : held
  const { payment, opened } = recordHeard(ids, tx, { payment: before, kept }, heard, evidence, origin)
  if (isClaimed && payment === before) tx.payments.update(before)
  return ok({ after: payment, opened })
}

async function sweepKeys({ store, clock }: ReconcilerDependencies, cancel: CancelSignal): Promise<void> {
  while (!cancel.aborted) {
    const dropped = (await store.dropExpiredKeys(clock.now(), sweepPage)).unwrapOr(0)
    if (dropped < sweepPage) await clock.sleep(sweepMs, cancel)
  }
}
