import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { fakeClock } from '../kernel/testing/fake-clock.ts'
import { fakeRandom } from '../kernel/testing/fake-random.ts'
import { faultPlan } from '../kernel/testing/faults.ts'
import { faultyTransactions, type TransactionFault } from '../kernel/testing/faulty-transactions.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { unitOfWork } from '../kernel/unit-of-work.ts'
import type { Transaction } from '../transaction.ts'
import { applyReport } from './apply-report.ts'
import type { Payment } from './payment.ts'
import type { RemoteChange, RemoteCourse } from './testing/fake-payment-service.ts'
import { faultyPaymentService, type PaymentServiceFault } from './testing/faulty-payment-service.ts'
import { caller, type PaymentsUnderTest, paymentsUnderTest, viewer } from './testing/payments-under-test.ts'

const anyAfterMs: fc.Arbitrary<number> = fc.constantFrom(0, 1000, 40_000, 100_000)

const anyCourse: fc.Arbitrary<RemoteCourse> = fc.oneof(
  anyAfterMs.map((afterMs): RemoteCourse => ({ kind: 'completes', afterMs })),
  anyAfterMs.map((afterMs): RemoteCourse => ({ kind: 'fails', afterMs, reason: 'no funds' })),
  fc
    .tuple(anyAfterMs, anyAfterMs)
    .map(([afterMs, reversedAfterMs]): RemoteCourse => ({ kind: 'completes-and-reverses', afterMs, reversedAfterMs })),
)

type World = PaymentsUnderTest & Readonly<{ heal: () => void }>

/** A bad network to the Payment Service, a store that loses answers, and webhooks late, twice, out of order and never. */
function chaos(seed: number, courses: readonly RemoteCourse[]): World {
  const clock = fakeClock()
  const random = fakeRandom(seed)
  const calls = faultPlan<PaymentServiceFault>({
    random,
    clock,
    rates: { slow: 0.1, 'unavailable-before': 0.15, 'unavailable-after': 0.15, unsent: 0.1, late: 0.15, partition: 0.05 },
    maxDelayMs: 30_000,
  })
  const units = faultPlan<TransactionFault>({
    random,
    clock,
    rates: { slow: 0.05, contended: 0.05, unavailable: 0.05, 'lost-before': 0.05, 'lost-after': 0.05, 'lost-late': 0.05 },
  })
  const courseOf = new Map<string, RemoteCourse>()
  const under = paymentsUnderTest({
    clock,
    behaviourOf: (_, id) => {
      if (!courseOf.has(id)) courseOf.set(id, courses[courseOf.size % courses.length] as RemoteCourse)
      return courseOf.get(id) as RemoteCourse
    },
    onStatus: (change) => {
      const copies = Math.floor(random.fraction() * 5) % 3
      for (let copy = 0; copy < copies; copy += 1) void clock.sleep(random.fraction() * 90_000).then(() => deliver(under, change))
    },
    portsFrom: (fakes) => ({
      ...fakes,
      transactions: faultyTransactions(fakes.transactions, units),
      paymentService: faultyPaymentService(fakes.paymentService, calls),
    }),
  })
  return {
    ...under,
    heal: () => {
      calls.heal()
      units.heal()
    },
  }
}

async function deliver({ ports }: PaymentsUnderTest, { paymentId, status, occurredAt, reference, reason }: RemoteChange): Promise<void> {
  const report = { paymentId, status, occurredAt, reference, reason, cause: 'webhook', requestId: null, traceparent: null } as const
  const delivered = await unitOfWork<Transaction>(ports).run((tx) => applyReport(ports, tx, report))
  if (delivered.isErr()) throw new Error(delivered.error.reason)
}

describe('payments, under faults', () => {
  itHolds(
    'L8 L9 L10 L11: end where the Payment Service has them, whatever is lost, late, doubled or out of order on the way',
    100,
    fc.asyncProperty(fc.integer(), fc.array(anyCourse, { minLength: 1, maxLength: 6 }), async (seed, courses) => {
      const world = chaos(seed, courses)
      const clients = courses.map((_, number) => client(world, number))
      await whileReconciled(world, async () => {
        await world.clock.advance(150_000)
        world.heal()
        await settle(world)
      })
      // By then everything that was ever to be told is told, and everything settled is to be looked at again.
      await world.clock.advance(2 * hourMs)
      await Promise.all(clients)
      await whileReconciled(world, () => settle(world))
      for (const payment of await payments(world)) await check(world, payment)
    }),
  )
})

const hourMs = 3_600_000

async function whileReconciled(world: World, pass: () => Promise<void>): Promise<void> {
  const stops = [world.start(), world.start()]
  await pass()
  await Promise.all(stops.map((stop) => stop()))
}

async function payments({ payments: { list } }: World): Promise<readonly Payment[]> {
  return (await list(viewer, { status: null, userId: null, from: null, to: null }, null, 100))._unsafeUnwrap().items
}

/** Until nobody needs to be asked any more, for an hour at most. */
async function settle(world: World): Promise<void> {
  const isDue = ({ status, checkAt }: Payment): boolean =>
    status === 'PROCESSING' || status === 'UNKNOWN' || (checkAt !== null && checkAt < world.clock.now() + hourMs / 2)
  for (let waitedMs = 0; waitedMs < hourMs; waitedMs += 10_000) {
    await world.clock.advance(10_000)
    if (!(await payments(world)).some(isDue)) return
  }
}

/** Creates, then processes or cancels or both at once, and repeats what was not answered. */
async function client(world: World, number: number): Promise<void> {
  let created = await world.create(`create-${number}`)
  for (let tries = 0; created.isErr() && tries < 5; tries += 1) {
    await world.clock.sleep(1000)
    created = await world.create(`create-${number}`)
  }
  if (created.isErr()) return
  const { id } = JSON.parse(created.value.answer) as Payment
  if (number % 3 === 2) void world.payments.cancel({ id, viewer, caller, match: 'any', reason: null })
  const answers = new Set<string>()
  for (let tries = 0; tries < 4; tries += 1) {
    const processed = await world.process(id, `process-${number}`)
    if (processed.isOk()) answers.add(processed.value.answer)
    await world.clock.sleep(9000)
  }
  expect(answers.size).toBeLessThanOrEqual(1)
}

async function check(world: World, { id, status, checkAt, updatedAt, version, attempt }: Payment): Promise<void> {
  // Whoever instructed has let go, and nobody is left to ask until the next day.
  const isLookedAtAgain = attempt !== null && status !== 'REVERSED'
  expect([id, checkAt]).toEqual([id, isLookedAtAgain ? updatedAt + 24 * hourMs : null])
  expect(['PENDING', 'CANCELLED', 'COMPLETED', 'FAILED', 'REVERSED']).toContain(status)
  expect([id, status === 'COMPLETED']).toEqual([id, world.remote.held().has(id)])
  expect(await world.openDiscrepancies(id)).toEqual([])
  expect(world.remote.executions(id)).toBeLessThanOrEqual(attempt === null ? 0 : 1)
  expect(await world.eventTypes(id)).toHaveLength(version)
}
