import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fakeClock } from './fake-clock.ts'
import { fakeRandom } from './fake-random.ts'
import { fakeSignals } from './fake-signals.ts'
import { faultPlan, scriptedFaults } from './faults.ts'
import { faultySignals } from './faulty-signals.ts'
import { itHolds } from './property.ts'

describe('faultPlan', () => {
  itHolds(
    'draws the same faults for the same seed',
    30,
    fc.asyncProperty(fc.integer(), async (seed) => {
      const draw = (): readonly (string | null)[] => {
        const plan = faultPlan({ random: fakeRandom(seed), clock: fakeClock(), rates: { lost: 0.3, late: 0.3 } })
        return Array.from({ length: 20 }, () => plan.draw(['lost', 'late']))
      }
      expect(draw()).toEqual(draw())
    }),
  )

  it('draws about as often as the rate says, and only what can strike', () => {
    const plan = faultPlan({ random: fakeRandom(1), clock: fakeClock(), rates: { lost: 0.2, late: 0.1, never: 0 } })
    for (let count = 0; count < 10_000; count += 1) plan.draw(['lost', 'never'])
    expect([...plan.counts.keys()]).toEqual(['lost'])
    expect(Math.abs((plan.counts.get('lost') ?? 0) - 2000)).toBeLessThan(200)
  })

  it('draws nothing once it is healed', () => {
    const plan = faultPlan({ random: fakeRandom(1), clock: fakeClock(), rates: { lost: 1 } })
    expect(plan.draw(['lost'])).toBe('lost')
    plan.heal()
    expect(plan.draw(['lost'])).toBeNull()
  })
})

describe('scriptedFaults', () => {
  it('refuses a script that names a fault where it cannot strike', () => {
    const faults = scriptedFaults<'lost' | 'late'>(['late'])
    expect(() => faults.draw(['lost'])).toThrow('"late" cannot strike here')
  })
})

describe('faultySignals', () => {
  it('loses, repeats and delays wake-ups', async () => {
    const clock = fakeClock()
    const signals = faultySignals(
      fakeSignals(),
      scriptedFaults(['lost', 'repeated', 'late', null], () => clock.sleep(10)),
    )
    let wakes = 0
    signals.listen('events', () => {
      wakes += 1
    })
    const after: number[] = []
    for (let count = 0; count < 4; count += 1) {
      signals.raise('events')
      after.push(wakes)
      await clock.advance(10)
      after.push(wakes)
    }
    expect(after).toEqual([0, 0, 1, 2, 2, 3, 4, 4])
  })

  it('wakes nobody late who has stopped listening', async () => {
    const clock = fakeClock()
    const signals = faultySignals(
      fakeSignals(),
      scriptedFaults(['late'], () => clock.sleep(10)),
    )
    let woken = false
    const stop = signals.listen('events', () => {
      woken = true
    })
    signals.raise('events')
    stop()
    await clock.advance(10)
    expect(woken).toBe(false)
  })
})
