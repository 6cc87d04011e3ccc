import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Open, over, type TestClock } from '../../kernel/testing/harness.ts'
import { itHolds } from '../../kernel/testing/property.ts'
import { expectOk } from '../../testing/store-units.ts'
import type { PaymentId } from '../payment.ts'
import type { Instruction, PaymentService } from '../ports/payment-service.ts'
import { anyInstruction } from './arbitraries.ts'

/** A Payment Service that begins whatever it is told in time, and its clock in the hands of the test. */
export type PaymentServiceHarness = Readonly<{
  paymentService: PaymentService
  clock: TestClock
  /** How many attempts of the payment have begun. */
  executions(paymentId: PaymentId): number | Promise<number>
}>

const lifeMs = 60_000

/**
 * The laws of `PaymentService`.
 *
 * @param open a service that knows no attempt, each time
 */
export function paymentServiceContract(open: Open<PaymentServiceHarness>, numRuns = 20): void {
  const holds = (name: string, test: (harness: PaymentServiceHarness, instruction: Instruction) => Promise<void>): void =>
    itHolds(
      name,
      numRuns,
      fc.asyncProperty(anyInstruction, (drawn) =>
        over(open, (harness) => test(harness, { ...drawn, notAfter: harness.clock.now() + lifeMs }))(),
      ),
    )

  describe('PaymentService', () => {
    holds('knows no attempt that it was never told of', async ({ paymentService }, { attemptId }) => {
      expect(await expectOk(paymentService.find(attemptId))).toBeNull()
    })

    holds('answers what it was told, and finds it', async ({ paymentService }, instruction) => {
      const { attemptId, paymentId, amount, currency } = instruction
      expect(await expectOk(paymentService.instruct(instruction))).toMatchObject({ attemptId, paymentId, amount, currency })
      expect(await expectOk(paymentService.find(attemptId))).toMatchObject({ attemptId, paymentId, amount, currency })
    })

    holds('takes the same attempt, sent again, for the same instruction', async ({ paymentService, executions }, instruction) => {
      const first = await expectOk(paymentService.instruct(instruction))
      const again = await expectOk(paymentService.instruct({ ...instruction, traceparent: null }))
      expect(again.reference).toBe(first.reference)
      expect(await executions(instruction.paymentId)).toBe(1)
    })

    holds('begins an attempt once, however many tell it at the same time', async ({ paymentService, executions }, instruction) => {
      await Promise.all([1, 2, 3].map(() => paymentService.instruct(instruction)))
      expect(await executions(instruction.paymentId)).toBe(1)
    })

    it(
      'begins nothing from notAfter on, and then never knows the attempt',
      over(open, async ({ paymentService, clock, executions }) => {
        const [drawn] = fc.sample(anyInstruction, { numRuns: 1, seed: 1 })
        const instruction = { ...(drawn as Instruction), notAfter: clock.now() + lifeMs }
        await clock.advance(lifeMs)
        expect((await paymentService.instruct(instruction))._unsafeUnwrapErr().kind).toBe('instruction-refused')
        expect(await expectOk(paymentService.find(instruction.attemptId))).toBeNull()
        expect(await executions(instruction.paymentId)).toBe(0)
      }),
    )

    it(
      'still answers the state of an attempt that has begun, from notAfter on',
      over(open, async ({ paymentService, clock, executions }) => {
        const [drawn] = fc.sample(anyInstruction, { numRuns: 1, seed: 2 })
        const instruction = { ...(drawn as Instruction), notAfter: clock.now() + lifeMs }
        await expectOk(paymentService.instruct(instruction))
        await clock.advance(lifeMs)
        expect((await expectOk(paymentService.instruct(instruction))).attemptId).toBe(instruction.attemptId)
        expect(await executions(instruction.paymentId)).toBe(1)
      }),
    )
  })
}
