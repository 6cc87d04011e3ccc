import { plantedBugs, type SimulationReport, simulate } from '@cbp/core/simulation'
import { describe, expect, it } from 'vitest'
import { sqliteEngine } from './sqlite-engine.ts'

const seedsInTests = 15

describe('simulation over SQLite', { timeout: 120_000 }, () => {
  it('L0 L1 L2 L6 L7 L8 L9 L10 L11 L12 L13 L14 L15 L16 L17: holds in every world', async () => {
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

  it.each([
    ['L14', 'records under whatever fence is current'],
    ['L10', 'keeps a key in a second unit after the payment'],
    ['L15', 'advances the inbox in a second unit after the effect'],
    ['L16', 'does not keep the ids of messages'],
  ])('%s: finds a service that %s', async (law, name) => {
    const mutant = plantedBugs.find((each) => each.name === name)
    if (mutant === undefined) throw new Error(`there is no bug "${name}"`)
    const laws: string[] = []
    for (let seed = 1; seed <= 200 && !laws.includes(law); seed += 1) {
      const { violations } = await simulate(seed, { engine: sqliteEngine, mutant })
      laws.push(...violations.map((violation) => violation.law))
    }
    expect(laws).toContain(law)
  })
})
