import { err, ok } from 'neverthrow'
import type { SimulationReport } from '../host.ts'
import { exitCodes } from '../output/failure.ts'
import { renderTable } from '../output/table.ts'
import { type Action, type Answer, interruption, type Session } from '../session.ts'

export type SimulateOptions = Readonly<{ seeds: number; seed?: number; engine: 'fakes' | 'sqlite'; trace?: boolean }>

const seedRange = 2 ** 31

export const runSimulation: Action<[], SimulateOptions> = async (session, { seeds, seed, engine, trace = false }) => {
  const simulate = await session.host.simulation(engine)
  const first = seed ?? Math.floor(Math.random() * seedRange)
  session.progress(`Seeds ${first} to ${first + seeds - 1}, over ${engine}.`)
  const counts: Record<string, number> = {}
  const failed: SimulationReport[] = []
  for (let each = first; each < first + seeds; each += 1) {
    const report = await simulate(each, trace ? session.progress : undefined)
    for (const [name, count] of Object.entries(report.counts)) counts[name] = (counts[name] ?? 0) + count
    if (report.violations.length > 0) failed.push(report)
    tellProgress(session, report, each - first + 1, seeds)
    // Virtual time leaves the event loop no turn of its own: without one, no signal would be heard.
    await new Promise((resolve) => setImmediate(resolve))
    if (session.io.cancel.aborted) return err(interruption(session.io.cancel))
  }
  return ok(answerOf({ engine, first, seeds, counts, failed }))
}

function tellProgress({ progress }: Session, { seed, violations }: SimulationReport, count: number, seeds: number): void {
  for (const { law, detail } of violations) progress(`seed ${seed}: ${law} is broken: ${detail}`)
  if (count % 100 === 0 && count < seeds) progress(`${count} of ${seeds}`)
}

type Summary = Readonly<{
  engine: string
  first: number
  seeds: number
  counts: Readonly<Record<string, number>>
  failed: readonly SimulationReport[]
}>

function answerOf({ engine, first, seeds, counts, failed }: Summary): Answer {
  const rows = Object.entries(counts).map(([name, count]) => [name, String(count)])
  const verdict =
    failed.length === 0
      ? `All ${seeds} runs kept the laws.\n`
      : `${failed.length} of ${seeds} runs broke a law. To see one again: cbp simulate --seeds 1 --engine ${engine} --seed ${failed[0]?.seed} --trace\n`
  return {
    json: { engine, firstSeed: first, seeds, counts, failed: failed.map(({ seed, violations }) => ({ seed, violations })) },
    text: (style) => renderTable(style, [{ title: 'counted' }, { title: 'total', align: 'right' }], rows) + verdict,
    exitCode: failed.length === 0 ? exitCodes.done : exitCodes.refused,
  }
}
