import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FakeClock, fakeClock } from '../../kernel/testing/fake-clock.ts'
import { scriptedFaults } from '../../kernel/testing/faults.ts'
import { expectOk } from '../../testing/store-units.ts'
import type { Instruction } from '../ports/payment-service.ts'
import { anyInstruction } from './arbitraries.ts'
import { type FakePaymentService, fakePaymentService, type RemoteBehaviour, type RemoteChange } from './fake-payment-service.ts'
import { faultyPaymentService, type PaymentServiceFault } from './faulty-payment-service.ts'
import { paymentServiceContract } from './payment-service.contract.ts'

const [drawn] = fc.sample(anyInstruction, { numRuns: 1, seed: 1 }) as [Instruction]

type World = Readonly<{ clock: FakeClock; remote: FakePaymentService; instruction: Instruction; changes: readonly RemoteChange[] }>

function worldOf(behaviour?: RemoteBehaviour): World {
  const clock = fakeClock()
  const changes: RemoteChange[] = []
  const onStatus = (change: RemoteChange): void => void changes.push(change)
  const remote = fakePaymentService({ clock, onStatus, ...(behaviour && { behaviourOf: () => behaviour }) })
  return { clock, remote, changes, instruction: { ...drawn, notAfter: clock.now() + 60_000 } }
}

async function open() {
  const { clock, remote } = worldOf()
  return { clock, paymentService: remote, executions: remote.executions }
}

describe('fakePaymentService', () => {
  paymentServiceContract(open, 50)

  it('completes and reverses in its time, and tells of both', async () => {
    const { clock, remote, instruction, changes } = worldOf({ kind: 'completes-and-reverses', afterMs: 1000, reversedAfterMs: 500 })
    expect(await expectOk(remote.instruct(instruction))).toMatchObject({ status: 'PROCESSING' })
    await clock.advance(1000)
    expect([...remote.held().keys()]).toEqual([instruction.paymentId])
    await clock.advance(500)
    expect([...remote.held().keys()]).toEqual([])
    expect(changes.map(({ status, occurredAt }) => [status, clock.now() - occurredAt])).toEqual([
      ['COMPLETED', 500],
      ['REVERSED', 0],
    ])
  })

  it.each<readonly [RemoteBehaviour, number]>([
    [{ kind: 'times-out-before' }, 0],
    [{ kind: 'times-out-after', course: { kind: 'completes', afterMs: 0 } }, 1],
    [{ kind: 'begins-late', afterMs: 20_000, course: { kind: 'completes', afterMs: 0 } }, 1],
    [{ kind: 'begins-late', afterMs: 60_000, course: { kind: 'completes', afterMs: 0 } }, 0],
  ])('times out under %j, and then this many attempts have begun: %i', async (behaviour, executions) => {
    const { clock, remote, instruction } = worldOf(behaviour)
    const answer = remote.instruct(instruction)
    await clock.advance(60_000)
    expect((await answer)._unsafeUnwrapErr()).toMatchObject({ kind: 'payment-service-unavailable', sent: true })
    expect(remote.executions(instruction.paymentId)).toBe(executions)
  })
})

describe('faultyPaymentService', () => {
  paymentServiceContract(async () => {
    const { paymentService, ...harness } = await open()
    return { ...harness, paymentService: faultyPaymentService(paymentService, scriptedFaults([])) }
  }, 5)

  it.each<readonly [PaymentServiceFault, boolean, number]>([
    ['unsent', false, 0],
    ['unavailable-before', true, 0],
    ['unavailable-after', true, 1],
    ['late', true, 1],
    ['partition', true, 0],
  ])('under %s is unavailable, sent: %s, and so many attempts begin: %i', async (fault, sent, executions) => {
    const { clock, remote, instruction } = worldOf()
    const service = faultyPaymentService(
      remote,
      scriptedFaults([fault], () => clock.sleep(10)),
    )
    expect((await service.instruct(instruction))._unsafeUnwrapErr()).toMatchObject({ sent })
    await clock.advance(9)
    if (fault === 'partition') expect((await service.find(instruction.attemptId)).isErr()).toBe(true)
    await clock.advance(1)
    expect((await service.find(instruction.attemptId)).isOk()).toBe(true)
    expect(remote.executions(instruction.paymentId)).toBe(executions)
  })
})
