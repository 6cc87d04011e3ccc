import fc from 'fast-check'
import { ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { itHolds } from '../kernel/testing/property.ts'
import { expectOk } from '../testing/store-units.ts'
import { applyReport, type StatusReport } from './apply-report.ts'
import { idempotencyKeyLifeMs } from './idempotency.ts'
import type { Payment } from './payment.ts'
import type { RemoteBehaviour } from './testing/fake-payment-service.ts'
import { type PaymentsUnderTest, paymentOf, paymentsUnderTest, raced } from './testing/payments-under-test.ts'

function behaving(...behaviours: readonly RemoteBehaviour[]): PaymentsUnderTest {
  return paymentsUnderTest({ behaviourOf: (sending) => behaviours[sending - 1] ?? behaviours.at(-1) ?? { kind: 'completes', afterMs: 0 } })
}

async function report({ ports }: PaymentsUnderTest, { id }: Payment, status: StatusReport['status']): Promise<void> {
  const given: StatusReport = {
    paymentId: id,
    status,
    occurredAt: null,
    reference: null,
    reason: null,
    cause: 'webhook',
    requestId: null,
    traceparent: null,
  }
  await expectOk(ports.transactions.attempt(ports.ids.next(), (tx) => applyReport(ports, tx, given)))
}

const completes: RemoteBehaviour = { kind: 'completes', afterMs: 0 }

describe('process', () => {
  it.each<readonly [RemoteBehaviour, string, string | null]>([
    [completes, 'COMPLETED', null],
    [{ kind: 'completes', afterMs: 5000 }, 'PROCESSING', null],
    [{ kind: 'fails', afterMs: 0, reason: 'no such account' }, 'FAILED', 'no such account'],
    [{ kind: 'refuses', reason: 'over the limit' }, 'FAILED', 'over the limit'],
    [{ kind: 'times-out-before' }, 'UNKNOWN', null],
    [{ kind: 'times-out-after', course: completes }, 'UNKNOWN', null],
    [{ kind: 'never-answers' }, 'UNKNOWN', null],
    [{ kind: 'unsent' }, 'PROCESSING', null],
  ])('under a service that %j answers %s', async (behaviour, status, failure) => {
    const under = behaving(behaviour)
    const { id } = await under.pending()
    const answered = (await under.processed(id))._unsafeUnwrap()
    expect(paymentOf(answered)).toMatchObject({ status, failure })
    expect(JSON.parse(answered.answer)).toEqual(await under.payment(id))
  })

  it('L11: publishes one event for each transition', async () => {
    const under = behaving(completes)
    const { id } = await under.pending()
    await under.processed(id)
    expect((await under.history(id)).map(({ to, cause, actor }) => `${to} ${cause} ${actor}`)).toEqual([
      'PENDING request issuer|tester',
      'PROCESSING request issuer|tester',
      'COMPLETED instruction payment-service',
    ])
    expect(await under.eventTypes(id)).toEqual(['PAYMENT_CREATED', 'PAYMENT_UPDATED', 'PAYMENT_UPDATED'])
  })

  it("instructs with the payment's content, an attempt that ends in a minute, and the caller's trace", async () => {
    const seen: unknown[] = []
    const under = paymentsUnderTest({
      portsFrom: (fakes) => ({
        ...fakes,
        paymentService: {
          ...fakes.paymentService,
          instruct: (instruction) => {
            seen.push(instruction)
            return fakes.paymentService.instruct(instruction)
          },
        },
      }),
    })
    const { id, amount, currency, payee, userId, reference, metadata } = await under.pending()
    const { attempt } = paymentOf((await under.processed(id))._unsafeUnwrap())
    const notAfter = attempt?.notAfter
    expect(seen).toEqual([
      { paymentId: id, attemptId: attempt?.id, amount, currency, payee, userId, reference, metadata, notAfter, traceparent: null },
    ])
    expect((notAfter ?? 0) - (attempt?.startedAt ?? 0)).toBe(60_000)
  })

  it('L10: gives a repetition the first answer, byte for byte, whatever became of the payment', async () => {
    const under = behaving({ kind: 'completes', afterMs: 5000 })
    const payment = await under.pending()
    const first = (await under.processed(payment.id))._unsafeUnwrap()
    await report(under, payment, 'COMPLETED')
    expect((await under.processed(payment.id))._unsafeUnwrap()).toEqual({ answer: first.answer, value: null })
    expect(under.remote.sendings(payment.id)).toBe(1)
  })

  it('refuses a payment that is not PENDING under another key, and one key for two payments', async () => {
    const under = behaving(completes)
    const [one, two] = [await under.pending(), await under.pending()]
    await under.processed(one.id, 'one')
    expect((await under.processed(one.id, 'two'))._unsafeUnwrapErr()).toMatchObject({ kind: 'payment-state-conflict', action: 'process' })
    expect((await under.processed(two.id, 'one'))._unsafeUnwrapErr()).toEqual({ kind: 'idempotency-key-reused', key: 'one' })
  })

  it('takes an expired key for a new one', async () => {
    const under = behaving(completes)
    const [one, two] = [await under.pending(), await under.pending()]
    await under.processed(one.id, 'key')
    await under.clock.advance(idempotencyKeyLifeMs)
    expect(paymentOf((await under.processed(two.id, 'key'))._unsafeUnwrap()).id).toBe(two.id)
  })
})

type TakenOver = PaymentsUnderTest & Readonly<{ first: Payment; findsAfter: (ms: number) => void }>

describe('process, after a crash between its units', () => {
  /** The first process dies; what comes after its lease is another one over the same store and service. */
  async function takenOver(afterMs: number, ...behaviours: readonly RemoteBehaviour[]): Promise<TakenOver> {
    let isDead = false
    let findMs = 0
    const under = paymentsUnderTest({
      behaviourOf: (sending) => behaviours[sending - 1] ?? completes,
      portsFrom: (fakes) => ({
        ...fakes,
        paymentService: {
          ...fakes.paymentService,
          instruct: (instruction) => {
            const answer = fakes.paymentService.instruct(instruction)
            return isDead ? answer : new ResultAsync(new Promise(() => {}))
          },
          find: (id) => {
            const found = fakes.paymentService.find(id)
            return ResultAsync.fromSafePromise(fakes.clock.sleep(findMs)).andThen(() => found)
          },
        },
        // The deadline dies with the process.
        clock: { ...fakes.clock, sleep: (ms, cancel) => (isDead ? fakes.clock.sleep(ms, cancel) : new Promise(() => {})) },
      }),
    })
    const first = await under.pending()
    void under.process(first.id)
    await under.clock.advance(afterMs)
    isDead = true
    const findsAfter = (ms: number): void => {
      findMs = ms
    }
    return { ...under, first, findsAfter }
  }

  it.each([
    [0, 5000],
    [10_000, 5000],
    [26_500, 3500],
    [29_999, 1000],
  ])('tells a repetition %i ms into the first request to come again after %i ms', async (afterMs, retryAfterMs) => {
    const under = await takenOver(afterMs, { kind: 'never-answers' })
    expect((await under.process(under.first.id))._unsafeUnwrapErr()).toEqual({ kind: 'request-in-flight', key: 'process', retryAfterMs })
  })

  it('L10: a repetition finds what the first instruction did, and sends no other', async () => {
    const under = await takenOver(30_000, completes)
    const answered = (await under.process(under.first.id))._unsafeUnwrap()
    expect(paymentOf(answered).status).toBe('COMPLETED')
    expect(under.remote.sendings(under.first.id)).toBe(1)
    expect((await under.process(under.first.id))._unsafeUnwrap().answer).toBe(answered.answer)
  })

  it('L10: a repetition sends the same attempt again when it never arrived', async () => {
    const under = await takenOver(30_000, { kind: 'never-answers' })
    expect(paymentOf((await under.process(under.first.id))._unsafeUnwrap()).status).toBe('COMPLETED')
    expect([under.remote.sendings(under.first.id), under.remote.executions(under.first.id)]).toEqual([2, 1])
  })

  it('concludes that it failed when nobody knows the attempt after its end', async () => {
    const under = await takenOver(65_000, { kind: 'never-answers' })
    expect(paymentOf((await under.process(under.first.id))._unsafeUnwrap()).status).toBe('FAILED')
    expect(under.remote.sendings(under.first.id)).toBe(1)
  })

  it('concludes nothing while the clock of the Payment Service may be behind', async () => {
    const under = await takenOver(62_000, { kind: 'never-answers' })
    expect(paymentOf((await under.process(under.first.id))._unsafeUnwrap()).status).toBe('PROCESSING')
  })

  it('concludes nothing from an answer that was asked for too early, however late it comes', async () => {
    const under = await takenOver(62_000, { kind: 'never-answers' })
    under.findsAfter(8000)
    expect(paymentOf((await under.processed(under.first.id))._unsafeUnwrap()).status).toBe('PROCESSING')
  })

  it('answers UNKNOWN as it is, and leaves it to the reconciler', async () => {
    const under = await takenOver(30_000, { kind: 'never-answers' }, { kind: 'times-out-before' })
    const stop = under.start()
    await under.clock.advance(11_000)
    expect(paymentOf((await under.process(under.first.id))._unsafeUnwrap()).status).toBe('UNKNOWN')
    expect(under.remote.sendings(under.first.id)).toBe(2)
    await stop()
  })

  it('answers at once when the payment was settled meanwhile', async () => {
    const under = await takenOver(30_000, { kind: 'never-answers' })
    await report(under, under.first, 'FAILED')
    expect(paymentOf((await under.process(under.first.id))._unsafeUnwrap()).status).toBe('FAILED')
    expect(under.remote.sendings(under.first.id)).toBe(1)
  })
})

describe('process, when it outlives its lease', () => {
  it('L10: leaves the answer to whoever has taken the request over, and records what it heard', async () => {
    const answers: (() => void)[] = []
    const under = paymentsUnderTest({
      portsFrom: (fakes) => {
        const gate = (): Promise<void> => new Promise((resolve) => void answers.push(resolve))
        return {
          ...fakes,
          clock: { ...fakes.clock, sleep: () => new Promise(() => {}) },
          paymentService: {
            instruct: (instruction) => ResultAsync.fromSafePromise(gate()).andThen(() => fakes.paymentService.instruct(instruction)),
            find: (id) => ResultAsync.fromSafePromise(gate()).andThen(() => fakes.paymentService.find(id)),
          },
        }
      },
    })
    const { id } = await under.pending()
    const first = under.process(id)
    await under.clock.advance(30_000)
    const second = under.process(id)
    await under.clock.advance(0)
    answers[0]?.()
    expect((await first)._unsafeUnwrapErr()).toEqual({ kind: 'request-in-flight', key: 'process', retryAfterMs: 5000 })
    expect((await under.payment(id)).status).toBe('COMPLETED')
    answers[1]?.()
    expect(paymentOf((await second)._unsafeUnwrap()).status).toBe('COMPLETED')
  })
})

describe('process, raced', () => {
  const anyBehaviour: fc.Arbitrary<RemoteBehaviour> = fc.oneof(
    fc.constantFrom<RemoteBehaviour>(completes, { kind: 'times-out-before' }, { kind: 'unsent' }, { kind: 'never-answers' }),
    fc.nat(40_000).map((afterMs): RemoteBehaviour => ({ kind: 'begins-late', afterMs, course: completes })),
    fc.nat(40_000).map((afterMs): RemoteBehaviour => ({ kind: 'completes', afterMs })),
  )

  itHolds(
    'L10: of any number of requests with one key, at whatever times, one attempt begins and one answer is given',
    150,
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.nat(70_000), { minLength: 2, maxLength: 6 }),
      fc.array(anyBehaviour, { minLength: 1, maxLength: 3 }),
      async (scheduler, delays, behaviours) => {
        const under = paymentsUnderTest({
          behaviourOf: (sending) => behaviours[(sending - 1) % behaviours.length] ?? completes,
          portsFrom: (fakes) => ({
            ...fakes,
            paymentService: {
              find: (id) =>
                fakes.paymentService.find(id).andThen((found) => ResultAsync.fromSafePromise(scheduler.schedule(Promise.resolve(found)))),
              instruct: (instruction) =>
                fakes.paymentService
                  .instruct(instruction)
                  .andThen((remote) => ResultAsync.fromSafePromise(scheduler.schedule(Promise.resolve(remote)))),
            },
          }),
        })
        const { id } = await under.pending()
        const requests = delays.map(async (ms) => {
          await under.clock.sleep(ms)
          return under.process(id)
        })
        const answers = await raced(scheduler, under.clock, Promise.all(requests))
        const given = answers.flatMap((each) => (each.isOk() ? [each.value.answer] : []))
        expect(new Set(given).size).toBeLessThanOrEqual(1)
        for (const each of answers) if (each.isErr()) expect(each.error.kind).toBe('request-in-flight')
        expect(under.remote.executions(id)).toBeLessThanOrEqual(1)
        expect((await under.history(id)).filter(({ to }) => to === 'PROCESSING')).toHaveLength(1)
      },
    ),
  )

  itHolds(
    'L10: of requests with keys of their own one instructs, and the others are refused',
    60,
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), async (scheduler, requests) => {
      const under = paymentsUnderTest({
        portsFrom: (fakes) => ({
          ...fakes,
          transactions: {
            ...fakes.transactions,
            attempt: (unit, work) =>
              fakes.transactions.attempt(unit, (tx) =>
                work(tx).andThen((value) => ResultAsync.fromSafePromise(scheduler.schedule(Promise.resolve(value)))),
              ),
          },
        }),
      })
      const created = await raced(scheduler, under.clock, under.pending())
      const race = Array.from({ length: requests }, (_, index) => under.process(created.id, `key-${index}`))
      const answers = await raced(scheduler, under.clock, Promise.all(race))
      expect(answers.filter((each) => each.isOk())).toHaveLength(1)
      expect(under.remote.sendings(created.id)).toBe(1)
    }),
  )
})
