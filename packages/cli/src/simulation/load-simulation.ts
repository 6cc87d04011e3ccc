import type { Simulate } from '../host.ts'

/** From the door for tests: nothing else of this program knows a fake. */
export async function loadSimulation(engine: 'fakes' | 'sqlite'): Promise<Simulate | null> {
  const testing: Readonly<Record<string, unknown>> = await import('@cbp/core/testing')
  const { simulate } = testing
  return engine === 'fakes' && typeof simulate === 'function' ? (seed) => (simulate as Simulate)(seed) : null
}
