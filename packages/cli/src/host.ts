import type { Caller, Clock, Core, Identity, Random } from '@cbp/core'
import type { OpenedKeyRing } from '@cbp/http/assembly'
import type { Result } from 'neverthrow'
import type { Failure } from './output/failure.ts'
import type { Session } from './session.ts'

/** The core over the stores that the settings name, until it is disposed of. */
export type OpenCore = AsyncDisposable & Readonly<{ core: Core; caller: Caller; keyRing: OpenedKeyRing }>

/** How one simulated world went. */
export type SimulationReport = Readonly<{
  seed: number
  violations: readonly Readonly<{ law: string; detail: string }>[]
  /** What it has put to the test. */
  counts: Readonly<Record<string, number>>
  /** How often each fault has struck. */
  faults: Readonly<Record<string, number>>
}>

export type Simulate = (seed: number, trace?: (line: string) => void) => Promise<SimulationReport>

/** What commands reach beyond the program: given, so that a test can give something else. */
export type Host = Readonly<{
  openCore: (session: Session) => Promise<Result<OpenCore, Failure>>
  /** Whose token it is, as a service over the same settings would find. */
  identify: (session: Session, token: string) => Promise<Result<Identity, Failure>>
  /** Time and chance, for commands that wait. */
  waiting: () => Promise<Readonly<{ clock: Clock; random: Random }>>
  /** The simulation over one engine. */
  simulation: (engine: 'fakes' | 'sqlite') => Promise<Simulate>
}>

/** Everything is loaded when it is needed: `--help` needs none of it. */
export const systemHost: Host = {
  openCore: async (session) => (await import('./container.ts')).openCore(session),
  identify: async (session, token) => (await import('./identity/verify-token.ts')).identifyToken(session, token),
  waiting: async () => (await import('./container.ts')).waiting,
  simulation: async (engine) => (await import('./simulation/load-simulation.ts')).loadSimulation(engine),
}
