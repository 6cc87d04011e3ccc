import { plantedBugs, type SimulationReport, simulate } from '@cbp/core/simulation'
import { describe, expect, it } from 'vitest'
import { sqliteEngine } from './sqlite-engine.ts'

const seedsInTests = 15

describe('simulation over SQLite', { timeout: 120_000 }, () => {
  it('L0 L1 L2 L6 L7 L11 L12 L13 L14: holds in every world', async () => {
    const reports: SimulationReport[] = []
    for (let seed = 1; seed <= seedsInTests; seed += 1) reports.push(await simulate(seed, { engine: sqliteEngine }))
    expect(reports.filter(({ violations }) => violations.length > 0)).toEqual([])
  })

  it('replays a seed exactly', async () => {
    const traced = async (): Promise<readonly string[]> => {
      const lines: string[] = []
      const report = await simulate(17, { engine: sqliteEngine, trace: (line) => lines.push(line) })
      return [...lines, JSON.stringify(report)]
    }
    expect(await traced()).toEqual(await traced())
  })

  it('finds a relay that records under whatever fence is current', async () => {
    const mutant = plantedBugs.find(({ name }) => name === 'records under whatever fence is current')
    const laws: string[] = []
    for (let seed = 1; seed <= 200 && !laws.includes('L14'); seed += 1) {
      const { violations } = await simulate(seed, { engine: sqliteEngine, ...(mutant === undefined ? {} : { mutant }) })
      laws.push(...violations.map(({ law }) => law))
    }
    expect(laws).toContain('L14')
  })
})
