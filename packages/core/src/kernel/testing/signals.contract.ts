import { describe, expect, it } from 'vitest'
import type { Signals } from '../signals.ts'
import { type Harness, over } from './harness.ts'

/** `arrived` waits until wake-ups raised before have reached their listeners. */
export type SignalsHarness = Harness<Readonly<{ signals: Signals; arrived(): Promise<void> }>>

/** The laws of `Signals`. Wake-ups may be lost or repeated, so that nothing is said about their number. */
export function signalsContract(open: () => Promise<SignalsHarness>): void {
  describe('Signals', () => {
    it(
      'wakes every listener of the topic',
      over(open, async ({ signals, arrived }) => {
        const woken = new Set<string>()
        for (const name of ['first', 'second']) signals.listen('revisions', () => woken.add(name))
        signals.raise('revisions')
        await arrived()
        expect(woken).toEqual(new Set(['first', 'second']))
      }),
    )

    it(
      'wakes no listener of another topic',
      over(open, async ({ signals, arrived }) => {
        let woken = false
        signals.listen('events', () => {
          woken = true
        })
        signals.raise('revisions')
        await arrived()
        expect(woken).toBe(false)
      }),
    )

    it(
      'wakes nobody who has stopped listening',
      over(open, async ({ signals, arrived }) => {
        let woken = false
        const stop = signals.listen('events', () => {
          woken = true
        })
        stop()
        signals.raise('events')
        await arrived()
        expect(woken).toBe(false)
      }),
    )

    it(
      'goes on waking a function that listened twice and stopped once',
      over(open, async ({ signals, arrived }) => {
        let wakes = 0
        const listener = (): void => {
          wakes += 1
        }
        const stop = signals.listen('events', listener)
        signals.listen('events', listener)
        stop()
        stop()
        signals.raise('events')
        await arrived()
        expect(wakes).toBeGreaterThan(0)
      }),
    )

    it(
      'lets a listener stop or start others while it is woken',
      over(open, async ({ signals, arrived }) => {
        let wakes = 0
        const stop = signals.listen('events', () => {
          stop()
          signals.listen('events', () => {
            wakes += 1
          })
        })
        signals.raise('events')
        await arrived()
        signals.raise('events')
        await arrived()
        expect(wakes).toBeGreaterThan(0)
      }),
    )

    it(
      'raises without listeners',
      over(open, async ({ signals }) => {
        expect(() => signals.raise('events')).not.toThrow()
      }),
    )
  })
}
