import fc from 'fast-check'
import { it } from 'vitest'

/** Generous, because it only ends a test that hangs. */
export const propertyTimeoutMs = 60_000

const defaultSeed = 20_260_101

/** The seed of every property: fixed, so that a failure replays by itself; `fc.configureGlobal({ seed })` chooses another. */
export function propertySeed(): number {
  return fc.readConfigureGlobal().seed ?? defaultSeed
}

/** Registers a test that holds a property against generated inputs. */
export function itHolds<Inputs>(name: string, numRuns: number, property: fc.IAsyncProperty<Inputs>): void {
  it(name, () => fc.assert(property, { seed: propertySeed(), numRuns }), propertyTimeoutMs)
}
