import fc from 'fast-check'
import { ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { itHolds } from '../kernel/testing/property.ts'
import type { Ports } from '../ports.ts'
import { expectOk } from '../testing/store-units.ts'
import type { Transaction } from '../transaction.ts'
import { type Idempotency, idempotencyKeyLifeMs } from './idempotency.ts'
import type { Payment } from './payment.ts'
import { caller, details, idempotency, type PaymentsUnderTest, paymentOf, paymentsUnderTest, raced } from './testing/payments-under-test.ts'

const otherClient = { ...caller, client: 'issuer|other' }

/** Every key and reference that a unit reads comes back when the scheduler says so. */
function scheduled(scheduler: fc.Scheduler): (ports: Ports) => Ports {
  const late = <T, E>(found: ResultAsync<T, E>): ResultAsync<T, E> =>
    found.andThen((value) => ResultAsync.fromSafePromise(scheduler.schedule(Promise.resolve(value))))
  const slow = (tx: Transaction): Transaction => ({
    ...tx,
    idempotencyKeys: { ...tx.idempotencyKeys, find: (key) => late(tx.idempotencyKeys.find(key)) },
    paymentReferences: { ...tx.paymentReferences, find: (key) => late(tx.paymentReferences.find(key)) },
    payments: { ...tx.payments, find: (key) => late(tx.payments.find(key)) },
  })
  return (ports) => ({
    ...ports,
    transactions: { ...ports.transactions, attempt: (unit, work) => ports.transactions.attempt(unit, (tx) => work(slow(tx))) },
  })
}

async function count({ ports }: PaymentsUnderTest): Promise<number> {
  return (await expectOk(ports.paymentStore.totals())).byStatus.PENDING ?? 0
}

describe('create', () => {
  it('makes a PENDING payment of the client that asks, and its first line of history', async () => {
    const { create, history, clock } = paymentsUnderTest()
    const payment = paymentOf(await expectOk(create('key')))
    const now = clock.now()
    expect(payment).toMatchObject({ ...details, client: caller.client, status: 'PENDING', version: 1, createdAt: now, updatedAt: now })
    expect(await history(payment.id)).toMatchObject([
      { number: 1, kind: 'created', from: null, to: 'PENDING', version: 1, actor: caller.client, cause: 'request', requestId: 'request-1' },
    ])
  })

  it('L11: publishes PAYMENT_CREATED in the same unit, with the payload of the integration document', async () => {
    const { pending, ports, clock } = paymentsUnderTest()
    const { id } = await pending()
    const stream = `payment-${id}` as Parameters<typeof ports.outbox.stream>[0]
    const timestamp = new Date(clock.now()).toISOString()
    expect((await expectOk(ports.outbox.pending([{ stream, after: 0 }], 10))).map(({ event }) => event)).toEqual([
      { type: 'PAYMENT_CREATED', payload: { id, status: 'PENDING', amount: 1250, timestamp } },
    ])
  })

  it('keeps nothing that it was not asked to keep', async () => {
    const { payments } = paymentsUnderTest()
    const given = { ...details, secret: 'x', payee: { ...details.payee, iban: 'y' } }
    const answer = await expectOk(payments.create({ details: given, caller, idempotency: idempotency('key') }))
    expect(answer.answer).not.toMatch(/secret|iban/)
  })

  it('L10: gives a repetition the first answer, byte for byte, whatever became of the payment', async () => {
    const under = paymentsUnderTest()
    const first = await expectOk(under.create('key'))
    await under.processed(paymentOf(first).id)
    expect(await expectOk(under.create('key'))).toEqual({ answer: first.answer, value: null })
    expect((await expectOk(under.ports.paymentStore.totals())).byStatus).toEqual({ COMPLETED: 1 })
  })

  it('refuses a key that was used for another request, and takes it from another client', async () => {
    const { create } = paymentsUnderTest()
    await expectOk(create('key'))
    expect((await create('key', { amount: 1 }))._unsafeUnwrapErr()).toEqual({ kind: 'idempotency-key-reused', key: 'key' })
    expect(paymentOf(await expectOk(create('key', { amount: 1 }, otherClient))).client).toBe(otherClient.client)
  })

  it('takes the same request for the same, in whatever order its metadata comes', async () => {
    const { create } = paymentsUnderTest()
    const first = await expectOk(create('key', { metadata: { a: '1', b: '2' } }))
    expect((await expectOk(create('key', { metadata: { b: '2', a: '1' } }))).answer).toBe(first.answer)
  })

  it('keeps a key for 7 days, then takes it for a new request, swept or not', async () => {
    const under = paymentsUnderTest()
    const first = await expectOk(under.create('key'))
    await under.clock.advance(idempotencyKeyLifeMs - 1)
    expect((await expectOk(under.create('key'))).value).toBeNull()
    await under.clock.advance(1)
    const second = await expectOk(under.create('key', { amount: 1 }))
    expect(paymentOf(second).id).not.toBe(paymentOf(first).id)
    expect((await expectOk(under.create('key', { amount: 1 }))).answer).toBe(second.answer)
  })

  it('keeps no refused request: the key is free for the mended one', async () => {
    const under = paymentsUnderTest()
    expect((await under.create('key', { amount: 0 }))._unsafeUnwrapErr()).toMatchObject({
      kind: 'invalid-payment',
      faults: [{ pointer: '/amount' }],
    })
    await expectOk(under.create('other', { reference: 'R1' }))
    expect((await under.create('key', { reference: 'R1' }))._unsafeUnwrapErr().kind).toBe('duplicate-reference')
    await expectOk(under.create('key', { reference: 'R2' }))
    expect(await count(under)).toBe(2)
  })

  it('takes a reference once for each client, for ever', async () => {
    const { create, payments, clock } = paymentsUnderTest()
    const first = paymentOf(await expectOk(create('first', { reference: 'R' })))
    await expectOk(payments.cancel({ id: first.id, viewer: { ...caller, seesAll: false }, caller, match: 'any', reason: null }))
    await clock.advance(10 * idempotencyKeyLifeMs)
    expect((await create('second', { reference: 'R' }))._unsafeUnwrapErr()).toEqual({
      kind: 'duplicate-reference',
      reference: 'R',
      paymentId: first.id,
    })
    await expectOk(create('second', { reference: 'R' }, otherClient))
  })

  itHolds(
    'L10: makes one payment of however many requests with one key at the same time, and gives them one answer',
    60,
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 2, max: 5 }),
      fc.option(fc.constant('R')),
      async (scheduler, requests, reference) => {
        const under = paymentsUnderTest({ portsFrom: scheduled(scheduler) })
        const race = Array.from({ length: requests }, () => under.create('key', { reference }))
        const answers = await raced(scheduler, under.clock, Promise.all(race))
        expect(new Set(answers.map((each) => each._unsafeUnwrap().answer)).size).toBe(1)
        expect(answers.filter((each) => each._unsafeUnwrap().value !== null)).toHaveLength(1)
        expect(await count(under)).toBe(1)
      },
    ),
  )

  itHolds(
    'gives a reference to one of several racing requests with keys of their own',
    40,
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), async (scheduler, requests) => {
      const under = paymentsUnderTest({ portsFrom: scheduled(scheduler) })
      const race = Array.from({ length: requests }, (_, index) => under.create(`key-${index}`, { reference: 'R' }))
      const answers = await raced(scheduler, under.clock, Promise.all(race))
      expect(answers.filter((each) => each.isOk())).toHaveLength(1)
      for (const each of answers) if (each.isErr()) expect(each.error.kind).toBe('duplicate-reference')
      expect(await count(under)).toBe(1)
    }),
  )

  it('asks the host for its answer inside the unit, so that both commit or neither', async () => {
    const under = paymentsUnderTest()
    const failing: Idempotency<Payment> = {
      key: 'key',
      answerOf: () => {
        throw new Error('a defect')
      },
    }
    await expect(under.payments.create({ details, caller, idempotency: failing })).rejects.toThrow('a defect')
    expect(await count(under)).toBe(0)
  })
})
