import fc from 'fast-check'
import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { type Address, rootScope } from '../config/index.ts'
import { fewComponents, fewKeys } from '../config/testing/arbitraries.ts'
import { type FakePorts, fakePorts } from '../testing/fake-ports.ts'
import { expectOk, put, recordWrites } from '../testing/store-units.ts'
import type { Transaction } from '../transaction.ts'
import { type FakeClock, fakeClock } from './testing/fake-clock.ts'
import { fakeRandom } from './testing/fake-random.ts'
import { type Faults, faultPlan, scriptedFaults } from './testing/faults.ts'
import { faultyTransactions, type TransactionFault } from './testing/faulty-transactions.ts'
import { itHolds } from './testing/property.ts'
import { unitOfWork } from './unit-of-work.ts'

const [component] = fewComponents as [Address['component']]
const [key] = fewKeys as [Address['key']]
const address: Address = { component, key, scope: rootScope }

/** Lets time pass until nothing sleeps and the promise is settled. */
async function elapse<T>(clock: FakeClock, promise: PromiseLike<T>): Promise<T> {
  let settled = false
  const watched = Promise.resolve(promise).finally(() => {
    settled = true
  })
  while ((await clock.advanceToNext()) || !settled) await Promise.resolve()
  return watched
}

async function settleAll<T>(clock: FakeClock, promises: readonly PromiseLike<T>[]): Promise<readonly T[]> {
  return elapse(clock, Promise.all(promises))
}

/** Adds one to the counter at the address. */
function increment(tx: Transaction): ResultAsync<number, unknown> {
  return tx.config.newest(address).andThen((newest) => {
    const count = Number(newest?.value ?? 0) + 1
    return recordWrites(tx, [put(address, count)]).map(() => count)
  })
}

async function countOf({ configStore }: FakePorts): Promise<number> {
  const [newest] = await expectOk(configStore.history(address, null, 1))
  return Number(newest?.value ?? 0)
}

function underScript(...script: readonly (TransactionFault | null)[]): FakePorts {
  const ports = fakePorts()
  const faults = scriptedFaults(script, () => ports.clock.sleep(1000))
  return { ...ports, transactions: faultyTransactions(ports.transactions, faults) }
}

describe('unitOfWork', () => {
  it.each<readonly [string, readonly (TransactionFault | null)[]]>([
    ['nothing happens', []],
    ['it is slow', ['slow']],
    ['it is contended', ['contended', 'contended']],
    ['its outcome is unknown and it took no effect', ['lost-before']],
    ['its outcome is unknown and it took effect', ['lost-after']],
    ['it is settled before it takes effect late', ['lost-late']],
    ['it takes effect late, while the settling is slow', ['lost-late', 'settle-slow']],
    ['the store is away when it is to be settled', ['lost-after', 'settle-unavailable-before', 'settle-unavailable-before']],
    ['the answer of settling is lost', ['lost-before', 'settle-unavailable-after']],
    ['one after the other is lost', ['lost-late', null, 'lost-before', null, 'lost-after', 'settle-unavailable-after', 'settle-slow']],
  ])('L0: takes effect once, and answers it, when %s', async (_case, script) => {
    const ports = underScript(...script)
    const outcome = await elapse(ports.clock, unitOfWork(ports).run(increment))
    expect(outcome._unsafeUnwrap()).toMatchObject({ value: 1, commit: { revision: 1 } })
    expect(await countOf(ports)).toBe(1)
  })

  it('answers the refusal of the work, and does not try again', async () => {
    const ports = fakePorts()
    let runs = 0
    const outcome = await elapse(
      ports.clock,
      unitOfWork(ports).run(() => {
        runs += 1
        return errAsync('refused')
      }),
    )
    expect([outcome._unsafeUnwrapErr(), runs]).toEqual(['refused', 1])
  })

  it('answers that the store is unavailable at once', async () => {
    const ports = underScript('unavailable')
    const outcome = await elapse(ports.clock, unitOfWork(ports).run(increment))
    expect(outcome._unsafeUnwrapErr()).toMatchObject({ kind: 'store-unavailable' })
    expect(await countOf(ports)).toBe(0)
  })

  it('gives up when it is contended again and again', async () => {
    const ports = underScript(...Array.from({ length: 12 }, () => 'contended' as const))
    const outcome = await elapse(ports.clock, unitOfWork(ports).run(increment))
    expect(outcome._unsafeUnwrapErr()).toMatchObject({ kind: 'store-unavailable', reason: expect.stringContaining('12 attempts') })
  })

  it('gives up when the outcome cannot be learnt', async () => {
    const ports = underScript('lost-after', ...Array.from({ length: 12 }, () => 'settle-unavailable-before' as const))
    const outcome = await elapse(ports.clock, unitOfWork(ports).run(increment))
    expect(outcome._unsafeUnwrapErr()).toMatchObject({ kind: 'store-unavailable' })
  })

  it('wakes listeners of what was written, once and after the commit', async () => {
    const ports = underScript('lost-after')
    const heads: Promise<number>[] = []
    ports.signals.listen('revisions', () => heads.push(countOf(ports)))
    ports.signals.listen('events', () => heads.push(Promise.resolve(-1)))
    await elapse(ports.clock, unitOfWork(ports).run(increment))
    expect(await Promise.all(heads)).toEqual([1])
  })

  it('wakes nobody for a unit that wrote nothing', async () => {
    const ports = fakePorts()
    let woken = false
    ports.signals.listen('revisions', () => {
      woken = true
    })
    await elapse(
      ports.clock,
      unitOfWork(ports).run(() => okAsync('read')),
    )
    expect(woken).toBe(false)
  })

  const everyFault: Readonly<Record<TransactionFault, number>> = {
    slow: 0.1,
    contended: 0.1,
    unavailable: 0.05,
    'lost-before': 0.1,
    'lost-after': 0.15,
    'lost-late': 0.15,
    'settle-slow': 0.2,
    'settle-unavailable-before': 0.2,
    'settle-unavailable-after': 0.2,
  }

  itHolds(
    'L0: under any faults, racing increments count as often as they were answered, and never less',
    150,
    fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 6 }), async (seed, writers) => {
      const clock = fakeClock()
      const random = fakeRandom(seed)
      const faults: Faults<TransactionFault> = faultPlan({ random, clock, rates: everyFault })
      const ports = fakePorts({ clock, random })
      const { run } = unitOfWork({ ...ports, transactions: faultyTransactions(ports.transactions, faults) })
      const outcomes = await settleAll(
        clock,
        Array.from({ length: writers }, () => run(increment)),
      )
      const answered = outcomes.flatMap((outcome) => (outcome.isOk() ? [outcome.value.value] : []))
      const count = await countOf(ports)
      expect(new Set(answered).size).toBe(answered.length)
      expect(count).toBeGreaterThanOrEqual(answered.length)
      expect(count).toBeLessThanOrEqual(writers)
      expect((await expectOk(ports.configStore.head())).revision).toBe(count)
    }),
  )
})
