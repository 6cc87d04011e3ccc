import type { Simulate } from '../host.ts'

/** Loaded when it is asked for: nothing else of this program knows a fake. */
export async function loadSimulation(engine: 'fakes' | 'sqlite'): Promise<Simulate> {
  const { fakeEngine, simulate } = await import('@cbp/core/simulation')
  const chosen = engine === 'fakes' ? fakeEngine : (await import('./sqlite-engine.ts')).sqliteEngine
  return (seed, trace) => simulate(seed, { engine: chosen, ...(trace === undefined ? {} : { trace }) })
}
