import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itHolds } from '../kernel/testing/property.ts'
import { expectOk } from '../testing/store-units.ts'
import { applyReport, type ReportOutcome, type StatusReport } from './apply-report.ts'
import type { HistoryEntry, Payment, PaymentId, PaymentStatus } from './payment.ts'
import type { RemoteStatus } from './ports/payment-service.ts'
import { anyRemoteStatus } from './testing/arbitraries.ts'
import type { RemoteBehaviour } from './testing/fake-payment-service.ts'
import { caller, type PaymentsUnderTest, paymentsUnderTest, viewer } from './testing/payments-under-test.ts'
import { mayBecome, transitions } from './transitions.ts'

async function told(
  under: PaymentsUnderTest,
  id: PaymentId,
  status: RemoteStatus,
  given: Partial<StatusReport> = {},
): Promise<ReportOutcome> {
  const { ports } = under
  const report: StatusReport = {
    paymentId: id,
    status,
    occurredAt: under.clock.now(),
    reference: 'remote-1',
    reason: null,
    cause: 'webhook',
    requestId: 'webhook-1',
    traceparent: null,
    ...given,
  }
  return (await expectOk(ports.transactions.attempt(ports.ids.next(), (tx) => applyReport(ports, tx, report)))).value
}

const completes: RemoteBehaviour = { kind: 'completes', afterMs: 0 }
const bringTo: Readonly<Record<PaymentStatus, RemoteBehaviour>> = {
  PENDING: completes,
  CANCELLED: completes,
  PROCESSING: { kind: 'completes', afterMs: 1_000_000_000 },
  COMPLETED: completes,
  FAILED: { kind: 'fails', afterMs: 0, reason: 'no funds' },
  UNKNOWN: { kind: 'times-out-before' },
  REVERSED: completes,
}

/** A payment at a status, with the service that brought it there. */
async function paymentAt(status: PaymentStatus): Promise<Readonly<{ under: PaymentsUnderTest; id: PaymentId }>> {
  const under = paymentsUnderTest({ behaviourOf: () => bringTo[status] })
  const { id } = await under.pending()
  if (status === 'CANCELLED') await expectOk(under.payments.cancel({ id, viewer, caller, match: 'any', reason: null }))
  else if (status !== 'PENDING') await under.processed(id)
  if (status === 'REVERSED') await told(under, id, 'REVERSED')
  expect((await under.payment(id)).status).toBe(status)
  return { under, id }
}

const all = Object.keys(transitions) as readonly PaymentStatus[]
const everyReport = ['PROCESSING', 'COMPLETED', 'FAILED', 'REVERSED'] as const

/** What is there after a report on a payment at a status; a status alone changes nothing and disputes nothing. */
const expected: Readonly<Record<PaymentStatus, Readonly<Partial<Record<RemoteStatus, string>>>>> = {
  PENDING: { COMPLETED: 'PENDING, disputed' },
  PROCESSING: { COMPLETED: 'COMPLETED', FAILED: 'FAILED', REVERSED: 'REVERSED' },
  UNKNOWN: { COMPLETED: 'COMPLETED', FAILED: 'FAILED', REVERSED: 'REVERSED' },
  COMPLETED: { FAILED: 'COMPLETED, disputed', REVERSED: 'REVERSED' },
  FAILED: { COMPLETED: 'FAILED, disputed' },
  CANCELLED: { COMPLETED: 'CANCELLED, disputed' },
  REVERSED: {},
}

describe('applyReport', () => {
  it.each(all.flatMap((at) => everyReport.map((report) => [at, report] as const)))(
    'L8 L9: at %s, a report of %s makes a listed transition or none, and disputes what it contradicts',
    async (at, report) => {
      const { under, id } = await paymentAt(at)
      const before = await under.payment(id)
      const outcome = await told(under, id, report)
      const after = await under.payment(id)
      const disputed = (await under.openDiscrepancies(id)).length > 0 ? `${after.status}, disputed` : after.status
      expect(disputed).toBe(expected[at][report] ?? at)
      expect(outcome).toBe(after.status === at ? 'recorded' : 'effect')
      expect(after.version > before.version).toBe(after.status !== at)
      expect(after.entries).toBeGreaterThan(before.entries)
    },
  )

  it('knows no payment that there is not', async () => {
    const under = paymentsUnderTest()
    expect(await told(under, under.ports.ids.next(), 'COMPLETED')).toBeNull()
  })

  it('leaves a line of history for what it ignores, and no event', async () => {
    const { under, id } = await paymentAt('COMPLETED')
    await told(under, id, 'PROCESSING')
    expect((await under.history(id)).at(-1)).toMatchObject({
      kind: 'ignored',
      from: 'COMPLETED',
      to: 'COMPLETED',
      version: 3,
      cause: 'webhook',
      detail: 'reported PROCESSING while COMPLETED',
    })
    expect(await under.eventTypes(id)).toHaveLength(3)
  })

  it('takes a reversal of what was never told completed for both: two transitions, two events', async () => {
    const { under, id } = await paymentAt('UNKNOWN')
    await told(under, id, 'REVERSED')
    expect((await under.history(id)).slice(-2).map(({ from, to, version }) => `${from} ${to} ${version}`)).toEqual([
      'UNKNOWN COMPLETED 4',
      'COMPLETED REVERSED 5',
    ])
    expect(await under.eventTypes(id)).toHaveLength(5)
  })

  it("keeps the Payment Service's name for the payment, and its reason for a failure", async () => {
    const { under, id } = await paymentAt('PROCESSING')
    await told(under, id, 'FAILED', { reference: 'remote-9', reason: 'no funds' })
    expect(await under.payment(id)).toMatchObject({ remoteReference: 'remote-9', failure: 'no funds' })
  })

  it('L9: asks the reconciler to look at once where it opened a discrepancy', async () => {
    const { under, id } = await paymentAt('FAILED')
    await told(under, id, 'COMPLETED')
    expect(await under.openDiscrepancies(id)).toEqual(['status: FAILED / COMPLETED'])
    expect((await under.payment(id)).checkAt).toBe(under.clock.now())
  })

  it('L9: resolves a discrepancy by news that is later, and not by old news that comes late', async () => {
    const { under, id } = await paymentAt('FAILED')
    const early = under.clock.now()
    await under.clock.advance(10)
    await told(under, id, 'COMPLETED')
    await told(under, id, 'FAILED', { occurredAt: early })
    expect(await under.openDiscrepancies(id)).toHaveLength(1)
    await under.clock.advance(10)
    await told(under, id, 'REVERSED')
    expect(await under.openDiscrepancies(id)).toEqual([])
    // The question that the dispute put stays until it is answered.
    expect((await under.payment(id)).checkAt).toBe(under.clock.now() - 10)
  })

  it('L9: lets no clock of the Payment Service resolve what it can be asked about', async () => {
    const { under, id } = await paymentAt('COMPLETED')
    await told(under, id, 'FAILED')
    await told(under, id, 'COMPLETED', { occurredAt: under.clock.now() + 5000 })
    expect(await under.openDiscrepancies(id)).toEqual(['status: COMPLETED / FAILED'])
    expect((await under.payment(id)).checkAt).toBe(under.clock.now())
  })

  it('L9: asks once more after an unanswered instruction that a webhook tells completed, whatever is told meanwhile', async () => {
    const { under, id } = await paymentAt('UNKNOWN')
    await told(under, id, 'COMPLETED')
    await told(under, id, 'COMPLETED')
    expect(await under.payment(id)).toMatchObject({ status: 'COMPLETED', checkAt: under.clock.now() })
    await told(under, id, 'REVERSED')
    expect(await under.payment(id)).toMatchObject({ status: 'REVERSED', checkAt: null })
  })

  it('keeps no half of a character, and no NUL, of what it is told', async () => {
    const { under, id } = await paymentAt('UNKNOWN')
    await told(under, id, 'FAILED', { reason: `${'x'.repeat(499)}\u{1F600}`, reference: 'a\0b' })
    const { failure, remoteReference } = await under.payment(id)
    expect([failure, remoteReference]).toEqual([`${'x'.repeat(499)}\uFFFD`, 'a\uFFFDb'])
  })

  it('opens a discrepancy again that was resolved before', async () => {
    const { under, id } = await paymentAt('CANCELLED')
    await told(under, id, 'COMPLETED')
    await told(under, id, 'REVERSED')
    await under.clock.advance(10)
    await told(under, id, 'COMPLETED')
    const [kept] = await expectOk(under.ports.paymentStore.discrepancies(id))
    expect(kept).toMatchObject({ openedAt: under.clock.now(), resolvedAt: null })
  })

  it('resolves what was disputed before the payment was even processed, once both say the same', async () => {
    const { under, id } = await paymentAt('PENDING')
    await told(under, id, 'COMPLETED')
    await under.processed(id)
    expect((await under.payment(id)).status).toBe('COMPLETED')
    expect(await under.openDiscrepancies(id)).toEqual([])
  })

  it('leaves UNKNOWN to webhooks and the reconciler, which it sends at once', async () => {
    const { under, id } = await paymentAt('UNKNOWN')
    await told(under, id, 'COMPLETED', { cause: 'instruction' })
    expect(await under.payment(id)).toMatchObject({ status: 'UNKNOWN', checkAt: under.clock.now() })
  })
})

type Command =
  | Readonly<{ kind: 'report'; status: RemoteStatus; cause: 'webhook' | 'reconciler' | 'instruction' }>
  | Readonly<{ kind: 'process' | 'amend' | 'cancel' }>
  | Readonly<{ kind: 'wait'; ms: number }>

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      status: anyRemoteStatus,
      cause: fc.constantFrom('webhook' as const, 'reconciler' as const, 'instruction' as const),
    }),
  },
  { weight: 3, arbitrary: fc.constantFrom<Command>({ kind: 'process' }, { kind: 'amend' }, { kind: 'cancel' }) },
  { weight: 1, arbitrary: fc.nat(60_000).map((ms): Command => ({ kind: 'wait', ms })) },
)

async function take(under: PaymentsUnderTest, id: PaymentId, command: Command, step: number): Promise<void> {
  const change = { id, viewer, caller, match: 'any' } as const
  switch (command.kind) {
    case 'report':
      await told(under, id, command.status, { cause: command.cause })
      return
    case 'process':
      await under.processed(id, `key-${step}`)
      return
    case 'amend':
      await under.payments.amend({ ...change, amendment: { amount: step + 1 } })
      return
    case 'cancel':
      await under.payments.cancel({ ...change, reason: null })
      return
    case 'wait':
      return under.clock.advance(command.ms)
  }
}

describe('any sequence of commands and reports', () => {
  itHolds(
    'L8 L11: makes only listed transitions, each one version and one event, and final states absorb',
    300,
    fc.asyncProperty(
      fc.array(anyCommand, { minLength: 1, maxLength: 14 }),
      fc.constantFrom<RemoteBehaviour>(...Object.values(bringTo)),
      fc.boolean(),
      async (commands, behaviour, isReconciled) => {
        const under = paymentsUnderTest({ behaviourOf: () => behaviour })
        const { id } = await under.pending()
        const stop = isReconciled ? under.start() : null
        for (const [step, command] of commands.entries()) await take(under, id, command, step)
        await stop?.()
        checkHistory(await under.payment(id), await under.history(id), (await under.eventTypes(id)).length)
        expect(under.remote.executions(id)).toBeLessThanOrEqual(1)
      },
    ),
  )
})

function checkHistory(payment: Payment, history: readonly HistoryEntry[], events: number): void {
  let status: PaymentStatus | null = null
  let version = 0
  for (const [index, entry] of history.entries()) {
    expect([entry.number, entry.from]).toEqual([index + 1, status])
    if (entry.kind === 'transition') expect(mayBecome(entry.from as PaymentStatus, entry.to, entry.cause)).toBe(true)
    else expect(entry.to).toBe(entry.kind === 'created' ? 'PENDING' : status)
    if (entry.kind !== 'ignored') version += 1
    expect(entry.version).toBe(version)
    status = entry.to
  }
  expect([payment.status, payment.version, payment.entries, events]).toEqual([status, version, history.length, version])
}
