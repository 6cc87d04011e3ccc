import type { Clock } from '../../kernel/clock.ts'
import { fakeStore, type StorePorts } from '../fake-store/fake-store.ts'

/** One process's connection to the database of a world. */
export type SimulatedConnection = Readonly<{
  ports: StorePorts
  /** Ends it as the death of its process would: nothing is flushed, nothing is answered. */
  kill: () => void
}>

export type SimulatedDatabase = Readonly<{
  connect: () => Promise<SimulatedConnection>
  close: () => Promise<void>
}>

/** A store that worlds can be built over. */
export type SimulatedEngine = Readonly<{
  name: string
  /** A new, empty database for one world, on that world's clock. */
  open: (clock: Clock) => Promise<SimulatedDatabase>
  /** Runs everything that is ready to run, where promises alone do not tell; see `fakeClock`. */
  drain?: () => Promise<void>
}>

/** The in-memory store: every connection sees the same one. */
export const fakeEngine: SimulatedEngine = {
  name: 'fakes',
  open: async (clock) => {
    const ports = fakeStore(clock)
    return { connect: async () => ({ ports, kill: () => {} }), close: async () => {} }
  },
}
