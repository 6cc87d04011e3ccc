import { errAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { expectOk } from '../testing/store-units.ts'
import { applyReport, type StatusReport } from './apply-report.ts'
import type { Payment } from './payment.ts'
import type { RemoteBehaviour } from './testing/fake-payment-service.ts'
import { caller, type PaymentsUnderTest, paymentsUnderTest, viewer } from './testing/payments-under-test.ts'

async function verified({ payments }: PaymentsUnderTest, { id }: Pick<Payment, 'id'>) {
  const { verified: isVerified, remote, discrepancies } = await expectOk(payments.verify(viewer, id))
  return [isVerified, remote?.status ?? null, discrepancies.map(({ kind, ours, theirs }) => `${kind}: ${ours} / ${theirs}`)]
}

async function report({ ports }: PaymentsUnderTest, { id }: Payment, status: StatusReport['status']): Promise<void> {
  const given = { paymentId: id, status, occurredAt: null, reference: null, reason: null } as const
  const origin = { cause: 'webhook', requestId: null, traceparent: null } as const
  await expectOk(ports.transactions.attempt(ports.ids.next(), (tx) => applyReport(ports, tx, { ...given, ...origin })))
}

describe('verify', () => {
  it('has nobody to ask about a payment that was never instructed', async () => {
    const under = paymentsUnderTest()
    const payment = await under.pending()
    expect(await verified(under, payment)).toEqual([true, null, []])
    await expectOk(under.payments.cancel({ id: payment.id, viewer, caller, match: 'any', reason: null }))
    expect(await verified(under, payment)).toEqual([true, null, []])
  })

  it.each<readonly [RemoteBehaviour, readonly unknown[]]>([
    [{ kind: 'completes', afterMs: 0 }, [true, 'COMPLETED', []]],
    [{ kind: 'completes', afterMs: 600_000 }, [true, 'PROCESSING', []]],
    [{ kind: 'completes', afterMs: 1000 }, [false, 'COMPLETED', ['status: PROCESSING / COMPLETED']]],
    [{ kind: 'fails', afterMs: 0, reason: 'no' }, [true, 'FAILED', []]],
    [{ kind: 'refuses', reason: 'no' }, [true, null, []]],
    [{ kind: 'times-out-before' }, [false, null, []]],
    [{ kind: 'times-out-after', course: { kind: 'completes', afterMs: 600_000 } }, [true, 'PROCESSING', []]],
    [{ kind: 'times-out-after', course: { kind: 'completes', afterMs: 0 } }, [false, 'COMPLETED', ['status: UNKNOWN / COMPLETED']]],
  ])('under a service that %j answers %j', async (behaviour, expected) => {
    const under = paymentsUnderTest({ behaviourOf: () => behaviour })
    const payment = await under.pending()
    await under.processed(payment.id)
    await under.clock.advance(20_000)
    const before = await under.payment(payment.id)
    expect(await verified(under, payment)).toEqual(expected)
    expect(await under.payment(payment.id)).toEqual(before)
  })

  it('finds that an attempt which nobody knows after its end is no longer under way', async () => {
    const under = paymentsUnderTest({ behaviourOf: () => ({ kind: 'times-out-before' }) })
    const payment = await under.pending()
    await under.processed(payment.id)
    await under.clock.advance(65_000)
    expect(await verified(under, payment)).toEqual([false, null, ['status: UNKNOWN / NONE']])
  })

  it('tells what is still open, though nothing differs now', async () => {
    const under = paymentsUnderTest()
    const payment = await under.pending()
    await under.processed(payment.id)
    await report(under, payment, 'FAILED')
    expect(await verified(under, payment)).toEqual([false, 'COMPLETED', ['status: COMPLETED / FAILED']])
  })

  it('says so when the Payment Service does not answer', async () => {
    const under = paymentsUnderTest({
      portsFrom: (fakes) => ({
        ...fakes,
        paymentService: {
          ...fakes.paymentService,
          find: () => errAsync({ kind: 'payment-service-unavailable', sent: false, reason: 'away' }),
        },
      }),
    })
    const payment = await under.pending()
    await under.processed(payment.id)
    expect((await under.payments.verify(viewer, payment.id))._unsafeUnwrapErr()).toMatchObject({ kind: 'payment-service-unavailable' })
  })
})
