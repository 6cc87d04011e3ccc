import { describe, expect, it } from 'vitest'
import { plantedBugs } from './planted-bugs.ts'
import { type SimulationReport, simulate } from './simulate.ts'

const seedsInTests = 100
/** Every fault of every port, the deaths and stalls of processes, and the steps of their clocks. */
const kindsOfFaults = 41
const seedsForABug = 1000

describe('simulation over the fakes', { timeout: 120_000 }, () => {
  it('L0 L1 L2 L6 L7 L8 L9 L10 L11 L12 L13 L14 L15 L16 L17 L18: holds in every world', async () => {
    const reports: SimulationReport[] = []
    for (let seed = 1; seed <= seedsInTests; seed += 1) reports.push(await simulate(seed))
    expect(reports.filter(({ violations }) => violations.length > 0)).toEqual([])
    const struck = new Set(reports.flatMap(({ faults }) => Object.entries(faults).flatMap(([name, count]) => (count > 0 ? [name] : []))))
    expect([...struck].sort()).toHaveLength(kindsOfFaults)
    expect(fewest(reports)).toBeGreaterThan(10)
  })

  it('replays a seed exactly', async () => {
    const traced = async (): Promise<readonly string[]> => {
      const lines: string[] = []
      const report = await simulate(17, { trace: (line) => lines.push(line) })
      return [...lines, JSON.stringify(report)]
    }
    expect(await traced()).toEqual(await traced())
  })

  it.each(plantedBugs.map((mutant) => [mutant.law, mutant.name, mutant] as const))(
    '%s: finds a service that %s',
    async (law, _name, mutant) => {
      expect(await seedThatFinds(law, mutant)).not.toBeNull()
    },
  )
})

/** The least that all worlds together have done of anything. */
function fewest(reports: readonly SimulationReport[]): number {
  const sums = new Map<string, number>()
  for (const { counts } of reports) {
    for (const [name, count] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + count)
  }
  return Math.min(...sums.values())
}

/** The first seed whose world shows the bug as a breach of its law. */
async function seedThatFinds(law: string, mutant: (typeof plantedBugs)[number]): Promise<number | null> {
  for (let seed = 1; seed <= seedsForABug; seed += 1) {
    const { violations } = await simulate(seed, { mutant })
    if (violations.some((violation) => violation.law === law)) return seed
  }
  return null
}
