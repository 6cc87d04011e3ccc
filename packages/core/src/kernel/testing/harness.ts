import type { Instant } from '../clock.ts'

/** Time as the port under test sees it, in the hands of the test. */
export type TestClock = Readonly<{ now(): Instant; advance(ms: number): void | Promise<void> }>

/** What a contract suite is given to test, and how to close it. */
export type Harness<Parts> = Parts & Readonly<{ close?(): Promise<void> }>

/** Opens a fresh, empty instance of what is under test. */
export type Open<Parts> = () => Promise<Harness<Parts>>

/** A test over a fresh instance that is closed whatever happens. */
export function over<Parts, Inputs extends readonly unknown[]>(
  open: Open<Parts>,
  test: (parts: Parts, ...inputs: Inputs) => Promise<void>,
): (...inputs: Inputs) => Promise<void> {
  return async (...inputs) => {
    const opened = await open()
    try {
      await test(opened, ...inputs)
    } finally {
      await opened.close?.()
    }
  }
}
