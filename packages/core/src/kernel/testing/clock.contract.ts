import { describe, expect, it } from 'vitest'
import { cancelSource } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import { type Harness, over } from './harness.ts'

/** `pass` lets time go by, by at least `ms`: a fake is advanced, a real one waited for. */
export type ClockHarness = Harness<Readonly<{ clock: Clock; pass(ms: number): Promise<void> }>>

/** The laws of `Clock`. */
export function clockContract(open: () => Promise<ClockHarness>): void {
  describe('Clock', () => {
    it(
      'tells whole milliseconds, and does not stand still',
      over(open, async ({ clock, pass }) => {
        const before = clock.now()
        await pass(5)
        expect(Number.isInteger(before)).toBe(true)
        expect(clock.now()).toBeGreaterThanOrEqual(before + 4)
      }),
    )

    it(
      'wakes a sleeper after its time',
      over(open, async ({ clock, pass }) => {
        const log: string[] = []
        const sleeping = clock.sleep(20).then(() => log.push('woken'))
        log.push('asleep')
        await pass(30)
        await sleeping
        expect(log).toEqual(['asleep', 'woken'])
      }),
    )

    it(
      'wakes sleepers in the order of their deadlines',
      over(open, async ({ clock, pass }) => {
        const woken: number[] = []
        const sleepers = [90, 10, 50].map((ms) => clock.sleep(ms).then(() => woken.push(ms)))
        await pass(120)
        await Promise.all(sleepers)
        expect(woken).toEqual([10, 50, 90])
      }),
    )

    it(
      'does not keep a sleeper who sleeps for no time',
      over(open, async ({ clock }) => {
        await clock.sleep(0)
        await clock.sleep(-1)
      }),
    )

    it(
      'wakes a sleeper whose sleep is cancelled',
      over(open, async ({ clock }) => {
        const { signal, cancel } = cancelSource()
        const sleeping = clock.sleep(3_600_000, signal)
        cancel()
        await sleeping
      }),
    )

    it(
      'lets nobody fall asleep who is cancelled already',
      over(open, async ({ clock }) => {
        const { signal, cancel } = cancelSource()
        cancel()
        await clock.sleep(3_600_000, signal)
      }),
    )

    it(
      'forgets its listener on the signal once the sleep is over',
      over(open, async ({ clock, pass }) => {
        let listeners = 0
        const counting = {
          aborted: false,
          addEventListener: (): void => {
            listeners += 1
          },
          removeEventListener: (): void => {
            listeners -= 1
          },
        }
        const sleeping = clock.sleep(10, counting)
        await pass(20)
        await sleeping
        expect(listeners).toBe(0)
      }),
    )
  })
}
