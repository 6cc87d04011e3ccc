import { errAsync, ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { storeUnavailable } from '../kernel/failures.ts'
import { expectOk } from '../testing/store-units.ts'
import { applyReport, type StatusReport } from './apply-report.ts'
import { idempotencyKeyLifeMs } from './idempotency.ts'
import type { Payment } from './payment.ts'
import type { RemoteBehaviour, RemoteCourse } from './testing/fake-payment-service.ts'
import { type PaymentsUnderTest, paymentsUnderTest } from './testing/payments-under-test.ts'

const completes: RemoteCourse = { kind: 'completes', afterMs: 0 }
const quarterMs = 15 * 60_000
const dayMs = 24 * 3_600_000

async function report({ ports, clock }: PaymentsUnderTest, { id }: Payment, status: StatusReport['status']): Promise<void> {
  const given = { paymentId: id, status, occurredAt: clock.now(), reference: null, reason: null } as const
  const origin = { cause: 'webhook', requestId: null, traceparent: null } as const
  await expectOk(ports.transactions.attempt(ports.ids.next(), (tx) => applyReport(ports, tx, { ...given, ...origin })))
}

describe('reconcile', () => {
  it.each<readonly [RemoteBehaviour, string]>([
    [completes, 'COMPLETED'],
    [{ kind: 'completes', afterMs: 45_000 }, 'COMPLETED'],
    [{ kind: 'completes', afterMs: 3_600_000 }, 'COMPLETED'],
    [{ kind: 'fails', afterMs: 45_000, reason: 'no' }, 'FAILED'],
    [{ kind: 'completes-and-reverses', afterMs: 1000, reversedAfterMs: 1000 }, 'REVERSED'],
    [{ kind: 'refuses', reason: 'no' }, 'FAILED'],
    [{ kind: 'times-out-before' }, 'FAILED'],
    [{ kind: 'times-out-after', course: { kind: 'completes', afterMs: 50_000 } }, 'COMPLETED'],
    [{ kind: 'begins-late', afterMs: 40_000, course: completes }, 'COMPLETED'],
    [{ kind: 'never-answers' }, 'FAILED'],
    [{ kind: 'unsent' }, 'FAILED'],
  ])('L9: settles a payment whose service always %j as %s, and asks no more for a day', async (behaviour, status) => {
    const under = paymentsUnderTest({ behaviourOf: () => behaviour })
    const stop = under.start()
    const { id } = await under.pending()
    await under.processed(id)
    await under.clock.advance(2.2 * 3_600_000)
    const { status: ended, checkAt, updatedAt } = await under.payment(id)
    expect([ended, checkAt]).toEqual([status, status === 'REVERSED' ? null : updatedAt + dayMs])
    expect(under.remote.held().has(id)).toBe(status === 'COMPLETED')
    expect(under.remote.executions(id)).toBeLessThanOrEqual(1)
    expect(await under.openDiscrepancies(id)).toEqual([])
    await stop()
  })

  it('sends an instruction that never arrived again, while it may still begin', async () => {
    const under = paymentsUnderTest({ behaviourOf: (sending) => (sending === 1 ? { kind: 'times-out-before' } : completes) })
    const stop = under.start()
    const { id } = await under.pending()
    await under.processed(id)
    expect((await under.payment(id)).status).toBe('UNKNOWN')
    await under.clock.advance(60_000)
    expect((await under.payment(id)).status).toBe('COMPLETED')
    expect(under.payments.reconcilerCounts()).toMatchObject({ checks: 1, resent: 1, resolved: 1, unavailable: 0 })
    await stop()
  })

  it('concludes that a payment failed only when nobody knows it well after the end of its attempt', async () => {
    const under = paymentsUnderTest({ behaviourOf: () => ({ kind: 'times-out-before' }) })
    const stop = under.start()
    const { id } = await under.pending()
    await under.processed(id)
    const { attempt } = await under.payment(id)
    await under.clock.advance((attempt?.notAfter ?? 0) + 4999 - under.clock.now())
    expect((await under.payment(id)).status).toBe('UNKNOWN')
    await under.clock.advance(20_000)
    expect(await under.payment(id)).toMatchObject({ status: 'FAILED', failure: 'the Payment Service never received the instruction' })
    await stop()
  })

  it('leaves a payment alone whose request may still be at work', async () => {
    const under = paymentsUnderTest({ behaviourOf: () => ({ kind: 'completes', afterMs: 29_000 }) })
    const stop = under.start()
    const { id } = await under.pending()
    await under.process(id)
    await under.clock.advance(29_000)
    expect(under.payments.reconcilerCounts().checks).toBe(0)
    await under.clock.advance(2000)
    expect((await under.payment(id)).status).toBe('COMPLETED')
    await stop()
  })

  it('asks less and less often, and at least every quarter of an hour', async () => {
    const asked: number[] = []
    const under = paymentsUnderTest({
      behaviourOf: () => ({ kind: 'completes', afterMs: 1_000_000_000 }),
      portsFrom: (fakes) => ({
        ...fakes,
        paymentService: {
          ...fakes.paymentService,
          find: (id) => {
            asked.push(fakes.clock.now())
            return fakes.paymentService.find(id)
          },
        },
      }),
    })
    const stop = under.start()
    const { id } = await under.pending()
    await under.process(id)
    await under.clock.advance(6 * 3_600_000)
    const gaps = asked.slice(1).map((at, index) => at - (asked[index] ?? 0))
    expect(gaps[0]).toBeLessThan(12_000)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(quarterMs + 1000)
    expect(gaps.at(-1)).toBeGreaterThanOrEqual(quarterMs / 2)
    expect(await under.history(id)).toHaveLength(2)
    await stop()
  })

  it.each([0, 9000])('asks one at a time of several instances, however long it takes, with answers after %i ms', async (answerMs) => {
    let [asking, most] = [0, 0]
    const gaps: number[] = []
    const { clock } = paymentsUnderTest()
    let lastAt = clock.now()
    const slowly = <T, E>(ms: number, call: () => ResultAsync<T, E>): ResultAsync<T, E> => {
      asking += 1
      most = Math.max(most, asking)
      return ResultAsync.fromSafePromise(clock.sleep(ms)).andThen(() => {
        asking -= 1
        return call()
      })
    }
    const under = paymentsUnderTest({
      clock,
      behaviourOf: (sending) => (sending === 1 ? { kind: 'times-out-before' } : completes),
      portsFrom: (fakes) => ({
        ...fakes,
        paymentService: {
          instruct: (instruction) => slowly(answerMs * 1.5, () => fakes.paymentService.instruct(instruction)),
          find: () => {
            gaps.push(clock.now() - lastAt)
            lastAt = clock.now()
            return slowly(answerMs, () => errAsync({ kind: 'payment-service-unavailable', sent: true, reason: 'busy' }))
          },
        },
      }),
    })
    const { id } = await under.pending()
    await under.processed(id)
    const stops = [under.start(), under.start(), under.start()]
    await clock.advance(60_000)
    expect(most).toBe(1)
    // As soon as if the answers took no time at all.
    expect(gaps[1]).toBeLessThan(12_000)
    await Promise.all(stops.map((stop) => stop()))
  })

  it('L9: keeps a discrepancy open while both differ, and resolves it when they agree', async () => {
    const under = paymentsUnderTest({
      behaviourOf: () => ({ kind: 'completes-and-reverses', afterMs: 10_000, reversedAfterMs: 3_600_000 }),
    })
    const payment = await under.pending()
    await under.processed(payment.id)
    await report(under, payment, 'FAILED')
    const stop = under.start()
    await under.clock.advance(10_000)
    await report(under, payment, 'COMPLETED')
    await under.clock.advance(3_500_000)
    expect(await under.openDiscrepancies(payment.id)).toEqual(['status: FAILED / COMPLETED'])
    await under.clock.advance(3_600_000)
    expect(await under.openDiscrepancies(payment.id)).toEqual([])
    const { checkAt, updatedAt } = await under.payment(payment.id)
    expect(checkAt).toBe(updatedAt + dayMs)
    await stop()
  })

  it('L9: resolves at once what a wrong or belated report opened', async () => {
    const under = paymentsUnderTest()
    const payment = await under.pending()
    await under.processed(payment.id)
    await report(under, payment, 'FAILED')
    expect(await under.openDiscrepancies(payment.id)).toEqual(['status: COMPLETED / FAILED'])
    const stop = under.start()
    await under.clock.advance(1000)
    expect(await under.openDiscrepancies(payment.id)).toEqual([])
    await stop()
  })

  it('opens a discrepancy about an amount or a currency that the Payment Service has otherwise', async () => {
    let isWrong = true
    const under = paymentsUnderTest({
      portsFrom: (fakes) => {
        const wrong = <T extends object>(remote: T): T => (isWrong ? { ...remote, amount: 1, currency: 'USD' } : remote)
        return {
          ...fakes,
          paymentService: {
            instruct: (instruction) => fakes.paymentService.instruct(instruction).map(wrong),
            find: (id) => fakes.paymentService.find(id).map((remote) => remote && wrong(remote)),
          },
        }
      },
    })
    const { id } = await under.pending()
    await under.processed(id)
    expect(await under.openDiscrepancies(id)).toEqual(['amount: 1250 / 1', 'currency: EUR / USD'])
    const stop = under.start()
    await under.clock.advance(60_000)
    expect(await under.openDiscrepancies(id)).toHaveLength(2)
    isWrong = false
    await under.clock.advance(quarterMs)
    expect(await under.openDiscrepancies(id)).toEqual([])
    const { updatedAt, ...after } = await under.payment(id)
    expect(after).toMatchObject({ status: 'COMPLETED', version: 3, checkAt: updatedAt + 3_600_000 })
    await stop()
  })

  it('L9: finds an amount that differs although a webhook was faster than any answer', async () => {
    const under = paymentsUnderTest({
      behaviourOf: () => ({ kind: 'times-out-after', course: completes }),
      portsFrom: (fakes) => ({
        ...fakes,
        paymentService: {
          ...fakes.paymentService,
          find: (id) => fakes.paymentService.find(id).map((remote) => remote && { ...remote, amount: 1 }),
        },
      }),
    })
    const payment = await under.pending()
    await under.processed(payment.id)
    await report(under, payment, 'COMPLETED')
    const stop = under.start()
    await under.clock.advance(1000)
    expect(await under.openDiscrepancies(payment.id)).toEqual(['amount: 1250 / 1'])
    await stop()
  })

  it('is not misled by an answer that was overtaken by a webhook', async () => {
    let answerLate: () => void = () => {}
    const under = paymentsUnderTest({
      behaviourOf: () => ({ kind: 'completes', afterMs: 31_500 }),
      portsFrom: (fakes) => ({
        ...fakes,
        paymentService: {
          ...fakes.paymentService,
          find: (id) => {
            const found = fakes.paymentService.find(id)
            return ResultAsync.fromSafePromise(new Promise<void>((resolve) => (answerLate = resolve))).andThen(() => found)
          },
        },
      }),
    })
    const payment = await under.pending()
    await under.process(payment.id)
    const stop = under.start()
    await under.clock.advance(31_500)
    await report(under, payment, 'COMPLETED')
    answerLate()
    await under.clock.advance(1000)
    expect((await under.payment(payment.id)).status).toBe('COMPLETED')
    expect(await under.openDiscrepancies(payment.id)).toEqual([])
    await stop()
  })

  it('drops keys that have expired, at once and again', async () => {
    const under = paymentsUnderTest()
    await under.pending()
    await under.clock.advance(idempotencyKeyLifeMs - 30_000)
    await under.pending()
    const stop = under.start()
    await under.clock.advance(90_000)
    await stop()
    expect(await expectOk(under.ports.paymentStore.dropExpiredKeys(under.clock.now() + idempotencyKeyLifeMs, 10))).toBe(1)
  })

  it('outlives a store that is away, and a defect in it', async () => {
    let trouble = 3
    const troubled = <T>(call: () => T, failure: () => T): T => {
      trouble -= 1
      if (trouble === 1) throw new Error('a defect')
      return trouble >= 0 ? failure() : call()
    }
    const under = paymentsUnderTest({
      behaviourOf: () => ({ kind: 'times-out-after', course: completes }),
      portsFrom: (fakes) => ({
        ...fakes,
        paymentStore: {
          ...fakes.paymentStore,
          dueForCheck: (...args) =>
            troubled(
              () => fakes.paymentStore.dueForCheck(...args),
              () => errAsync(storeUnavailable('away')),
            ),
        },
      }),
    })
    const { id } = await under.pending()
    await under.processed(id)
    const stop = under.start()
    await under.clock.advance(60_000)
    expect((await under.payment(id)).status).toBe('COMPLETED')
    expect(under.ports.log.entries.some(({ message }) => message.includes('defect'))).toBe(true)
    await stop()
  })
})
