import { describe, expect, it } from 'vitest'
import type { Uuid } from '../kernel/ids.ts'
import { expectOk } from '../testing/store-units.ts'
import type { Currency } from './money.ts'
import type { Payment } from './payment.ts'
import type { PaymentAmendment, PaymentMatch } from './payments-service.ts'
import { caller, details, type PaymentsUnderTest, paymentsUnderTest, viewer } from './testing/payments-under-test.ts'

function amend({ payments }: PaymentsUnderTest, { id }: Payment, amendment: PaymentAmendment, match: PaymentMatch = 'any') {
  return payments.amend({ id, viewer, caller, match, amendment })
}

function cancel({ payments }: PaymentsUnderTest, { id }: Pick<Payment, 'id'>, match: PaymentMatch = 'any') {
  return payments.cancel({ id, viewer, caller, match, reason: 'no longer due' })
}

describe('amend', () => {
  it('changes what it names and leaves the rest', async () => {
    const under = paymentsUnderTest()
    const payment = await under.pending()
    await under.clock.advance(5)
    const amended = await expectOk(amend(under, payment, { amount: 99, metadata: {} }, [1]))
    expect(amended).toEqual({ ...payment, amount: 99, metadata: {}, version: 2, entries: 2, updatedAt: under.clock.now() })
    expect(await under.payment(payment.id)).toEqual(amended)
    expect((await under.history(payment.id))[1]).toMatchObject({
      kind: 'amended',
      from: 'PENDING',
      to: 'PENDING',
      detail: 'amount, metadata',
    })
  })

  it('L11: publishes one event, and none when nothing changes', async () => {
    const under = paymentsUnderTest()
    const payment = await under.pending()
    await expectOk(amend(under, payment, { currency: 'USD' as Currency }))
    expect((await expectOk(amend(under, payment, { currency: 'USD' as Currency, payee: details.payee }))).version).toBe(2)
    expect(await under.eventTypes(payment.id)).toEqual(['PAYMENT_CREATED', 'PAYMENT_UPDATED'])
  })

  it('refuses whoever has not seen the newest version, and shows it', async () => {
    const under = paymentsUnderTest()
    const payment = await under.pending()
    const newest = await expectOk(amend(under, payment, { amount: 2 }, [null, 1]))
    expect((await amend(under, payment, { amount: 3 }, [1, null]))._unsafeUnwrapErr()).toEqual({ kind: 'stale-payment', payment: newest })
  })

  it('refuses what breaks a rule', async () => {
    const under = paymentsUnderTest()
    expect((await amend(under, await under.pending(), { amount: 0 }))._unsafeUnwrapErr()).toMatchObject({
      kind: 'invalid-payment',
      faults: [{ pointer: '/amount' }],
    })
  })

  it('is too late once the payment is processed', async () => {
    const under = paymentsUnderTest()
    const payment = await under.pending()
    await under.processed(payment.id)
    expect((await amend(under, payment, { amount: 1 }, [1]))._unsafeUnwrapErr()).toMatchObject({
      kind: 'payment-state-conflict',
      action: 'amend',
      payment: { status: 'COMPLETED' },
    })
  })
})

describe('cancel', () => {
  it('makes the payment CANCELLED, with its reason in the history and PAYMENT_DELETED published', async () => {
    const under = paymentsUnderTest()
    const payment = await under.pending()
    expect(await expectOk(cancel(under, payment, [1]))).toMatchObject({ status: 'CANCELLED', version: 2 })
    expect(await under.eventTypes(payment.id)).toEqual(['PAYMENT_CREATED', 'PAYMENT_DELETED'])
    expect((await under.history(payment.id))[1]).toMatchObject({ kind: 'transition', to: 'CANCELLED', detail: 'no longer due' })
  })

  it('is final: the payment is neither cancelled again nor processed', async () => {
    const under = paymentsUnderTest()
    const payment = await under.pending()
    await expectOk(cancel(under, payment))
    expect((await cancel(under, payment))._unsafeUnwrapErr()).toMatchObject({ kind: 'payment-state-conflict', action: 'cancel' })
    expect((await under.process(payment.id))._unsafeUnwrapErr()).toMatchObject({ kind: 'payment-state-conflict', action: 'process' })
    expect(under.remote.sendings(payment.id)).toBe(0)
  })

  it('refuses whoever has not seen the newest version', async () => {
    const under = paymentsUnderTest()
    expect((await cancel(under, await under.pending(), [null]))._unsafeUnwrapErr()).toMatchObject({ kind: 'stale-payment' })
  })

  it('cuts a long reason between characters', async () => {
    const under = paymentsUnderTest()
    const { id } = await under.pending()
    await expectOk(under.payments.cancel({ id, viewer, caller, match: 'any', reason: `${'x'.repeat(499)}\u{1F600}` }))
    expect((await under.history(id)).at(-1)?.detail?.isWellFormed()).toBe(true)
  })
})

describe('what belongs to another client', () => {
  it('looks as if it did not exist, to whoever does not see all', async () => {
    const under = paymentsUnderTest()
    const { id } = await under.pending()
    const stranger = { client: 'issuer|other', seesAll: false }
    const { payments } = under
    const idempotency = { key: 'key', answerOf: () => '' }
    const answers = [
      payments.get(stranger, id),
      payments.history(stranger, id, 0, 10),
      payments.verify(stranger, id),
      payments.amend({ id, viewer: stranger, caller, match: 'any', amendment: { amount: 1 } }),
      payments.cancel({ id, viewer: stranger, caller, match: 'any', reason: null }),
      payments.process({ id, viewer: stranger, caller, idempotency }),
      payments.get(viewer, '01890000-0000-7000-8000-000000000000' as Uuid),
    ]
    for (const answer of answers) expect((await answer)._unsafeUnwrapErr()).toMatchObject({ kind: 'payment-not-found' })
    expect((await expectOk(payments.list(stranger, everything, null, 10))).items).toEqual([])
    const all = { ...stranger, seesAll: true }
    expect((await expectOk(payments.get(all, id))).id).toBe(id)
    expect((await expectOk(payments.list(all, everything, null, 10))).items).toHaveLength(1)
  })
})

const everything = { status: null, userId: null, from: null, to: null }

describe('lists', () => {
  it('come in pages that say where the next one starts', async () => {
    const under = paymentsUnderTest()
    const ids = [await under.pending(), await under.pending(), await under.pending()].map(({ id }) => id).toReversed()
    const first = await expectOk(under.payments.list(viewer, everything, null, 2))
    expect([first.items.map(({ id }) => id), first.next]).toEqual([ids.slice(0, 2), ids[1]])
    const second = await expectOk(under.payments.list(viewer, everything, first.next, 2))
    expect([second.items.map(({ id }) => id), second.next]).toEqual([ids.slice(2), null])
  })

  it('of history, too', async () => {
    const under = paymentsUnderTest()
    const { id } = await under.pending()
    await under.processed(id)
    const first = await expectOk(under.payments.history(viewer, id, 0, 2))
    expect([first.items.map(({ to }) => to), first.next]).toEqual([['PENDING', 'PROCESSING'], 2])
    const second = await expectOk(under.payments.history(viewer, id, 2, 2))
    expect([second.items.map(({ to }) => to), second.next]).toEqual([['COMPLETED'], null])
  })
})
