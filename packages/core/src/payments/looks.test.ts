import { errAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import type { Instant } from '../kernel/clock.ts'
import { expectOk } from '../testing/store-units.ts'
import { applyReport, type StatusReport } from './apply-report.ts'
import type { Payment, PaymentId } from './payment.ts'
import type { PaymentService } from './ports/payment-service.ts'
import type { RemoteBehaviour } from './testing/fake-payment-service.ts'
import { type PaymentsUnderTest, paymentsUnderTest } from './testing/payments-under-test.ts'

const hourMs = 3_600_000
const looksAfterMs = [hourMs, 24 * hourMs, 7 * 24 * hourMs, 30 * 24 * hourMs]

type Settled = PaymentsUnderTest & Readonly<{ id: PaymentId; settledAt: Instant; asked: readonly Instant[] }>

/** A payment that the answer to its instruction settles, and when it is asked about afterwards. */
async function settled(behaviour: RemoteBehaviour, find?: (found: PaymentService['find']) => PaymentService['find']): Promise<Settled> {
  const asked: Instant[] = []
  const under = paymentsUnderTest({
    behaviourOf: () => behaviour,
    portsFrom: (fakes) => {
      const { paymentService, clock } = fakes
      const finding = find?.(paymentService.find) ?? paymentService.find
      const noting: PaymentService['find'] = (attemptId) => {
        asked.push(clock.now())
        return finding(attemptId)
      }
      return { ...fakes, paymentService: { ...paymentService, find: noting } }
    },
  })
  const { id } = await under.pending()
  await under.processed(id)
  return { ...under, id, settledAt: (await under.payment(id)).updatedAt, asked }
}

/** Goes straight to a time; only there anybody asks, for as long as is said. */
async function reconciledAt({ clock, start }: PaymentsUnderTest, at: Instant, forMs = 1000): Promise<void> {
  await clock.advance(at - clock.now())
  const stop = start()
  await clock.advance(forMs)
  await stop()
}

async function told({ ports }: PaymentsUnderTest, paymentId: PaymentId, status: StatusReport['status']): Promise<void> {
  const report = {
    paymentId,
    status,
    occurredAt: null,
    reference: null,
    reason: null,
    cause: 'webhook',
    requestId: null,
    traceparent: null,
  } as const
  await expectOk(ports.transactions.attempt(ports.ids.next(), (tx) => applyReport(ports, tx, report)))
}

describe('a settled payment', () => {
  it.each<RemoteBehaviour>([
    { kind: 'completes', afterMs: 0 },
    { kind: 'fails', afterMs: 0, reason: 'no funds' },
    { kind: 'refuses', reason: 'no' },
  ])('is looked at again after an hour, a day, a week and a month, and never after that: %j', async (behaviour) => {
    const under = await settled(behaviour)
    const before = await under.payment(under.id)
    for (const afterMs of looksAfterMs) {
      await reconciledAt(under, under.settledAt + afterMs - 90_000)
      await reconciledAt(under, under.settledAt + afterMs)
    }
    await reconciledAt(under, under.settledAt + 365 * 24 * hourMs)
    expect(under.asked).toEqual(looksAfterMs.map((afterMs) => under.settledAt + afterMs))
    expect(await under.payment(under.id)).toEqual({ ...before, checkAt: null, checks: 0 })
    expect(await under.openDiscrepancies(under.id)).toEqual([])
  })

  it('L9: is found reversed although no webhook ever told it', async () => {
    const under = await settled({ kind: 'completes-and-reverses', afterMs: 0, reversedAfterMs: 2 * hourMs })
    for (const afterMs of looksAfterMs) await reconciledAt(under, under.settledAt + afterMs)
    expect(await under.payment(under.id)).toMatchObject({ status: 'REVERSED', checkAt: null })
    expect(await under.eventTypes(under.id)).toHaveLength(4)
    expect(under.asked).toHaveLength(2)
    expect(under.remote.held().size).toBe(0)
  })

  it('L9: opens a discrepancy where money moved after a failure', async () => {
    let moved = false
    const under = await settled({ kind: 'fails', afterMs: 0, reason: 'no funds' }, (find) => (attemptId) => {
      return find(attemptId).map((found) => (found !== null && moved ? { ...found, status: 'COMPLETED' as const } : found))
    })
    await reconciledAt(under, under.settledAt + hourMs)
    expect(await under.openDiscrepancies(under.id)).toEqual([])
    moved = true
    await reconciledAt(under, under.settledAt + 24 * hourMs)
    expect(await under.openDiscrepancies(under.id)).toEqual(['status: FAILED / COMPLETED'])
  })

  it('is asked about until there is an answer, and then again at its time', async () => {
    let isAway = true
    const away = { kind: 'payment-service-unavailable', sent: true, reason: 'away' } as const
    const under = await settled({ kind: 'completes', afterMs: 0 }, (find) => (id) => (isAway ? errAsync(away) : find(id)))
    await reconciledAt(under, under.settledAt + hourMs, 60_000)
    expect(under.asked.length).toBeGreaterThan(2)
    isAway = false
    await reconciledAt(under, under.settledAt + 2 * hourMs)
    expect((await under.payment(under.id)).checkAt).toBe(under.settledAt + 24 * hourMs)
  })

  it.each<[RemoteBehaviour, Payment['status']]>([
    [{ kind: 'completes', afterMs: 0 }, 'COMPLETED'],
    [{ kind: 'fails', afterMs: 0, reason: 'no funds' }, 'FAILED'],
  ])('%j: is looked at no later for being told of once more', async (behaviour, status) => {
    const under = await settled(behaviour)
    await under.clock.advance(2 * hourMs)
    await told(under, under.id, status as StatusReport['status'])
    expect(await under.payment(under.id)).toMatchObject({ status, checkAt: under.settledAt + hourMs })
  })

  it('is looked at no more once it is reversed', async () => {
    const under = await settled({ kind: 'completes-and-reverses', afterMs: 0, reversedAfterMs: 1000 })
    await told(under, under.id, 'REVERSED')
    expect((await under.payment(under.id)).checkAt).toBeNull()
  })
})
