import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock, Random } from '@cbp/core'
import type { SimulatedConnection, SimulatedDatabase, SimulatedEngine } from '@cbp/core/simulation'
import { openSqlite } from '../container.ts'

/** Real SQLite files, one for each world; every process of a world has connections of its own. */
export const sqliteEngine: SimulatedEngine = {
  name: 'sqlite',
  drain: turnOfTheLoop,
  open: async (clock) => {
    const directory = await mkdtemp(join(tmpdir(), 'cbp-simulation-'))
    return databaseIn(directory, clock)
  },
}

/** Batches are put off with `setImmediate`, and begin a turn later: two turns let everything ready run, answers included. */
async function turnOfTheLoop(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

function databaseIn(directory: string, clock: Clock): SimulatedDatabase {
  const path = join(directory, 'world.sqlite')
  const open = new Set<() => void>()
  return {
    async connect(): Promise<SimulatedConnection> {
      const opened = await openSqlite({ path, clock, random: middling, synchronous: 'normal' })
      if (opened.isErr()) throw new Error(opened.error.reason)
      const { health: _health, close: _close, abandon, ...ports } = opened.value
      const kill = (): void => {
        if (open.delete(kill)) abandon()
      }
      open.add(kill)
      return { ports, kill }
    },
    async close() {
      for (const kill of [...open]) kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Chance inside the engine spreads retries only; a constant keeps worlds repeatable. */
const middling: Random = { fraction: () => 0.5 }
