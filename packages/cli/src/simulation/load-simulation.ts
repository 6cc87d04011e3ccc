import type { Simulate } from '../host.ts'

/** From the door for tests: nothing else of this program knows a fake. */
export async function loadSimulation(engine: 'fakes' | 'sqlite'): Promise<Simulate | null> {
  const { simulate } = await loadTesting()
  return engine === 'fakes' && typeof simulate === 'function' ? (seed) => (simulate as Simulate)(seed) : null
}

/** That door needs test tools which an installed program may lack. */
async function loadTesting(): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import('@cbp/core/testing')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return {}
    throw error
  }
}
