import { err, ok } from 'neverthrow'
import type { SimulationReport } from '../host.ts'
import { exitCodes } from '../output/failure.ts'
import type { Style } from '../output/style.ts'
import { renderTable } from '../output/table.ts'
import { type Action, type Answer, interruption, type Session } from '../session.ts'

export type SimulateOptions = Readonly<{ seeds: number; seed?: number; engine: 'fakes' | 'sqlite'; trace?: boolean }>

const seedRange = 2 ** 31

export const runSimulation: Action<[], SimulateOptions> = async (session, { seeds, seed, engine, trace = false }) => {
  const simulate = await session.host.simulation(engine)
  const first = seed ?? Math.floor(Math.random() * seedRange)
  session.progress(`Seeds ${first} to ${first + seeds - 1}, over ${engine}.`)
  const counts = new Map<string, number>()
  const faults = new Map<string, number>()
  const failed: SimulationReport[] = []
  for (let each = first; each < first + seeds; each += 1) {
    const report = await simulate(each, trace ? session.progress : undefined)
    addTo(counts, report.counts)
    addTo(faults, report.faults)
    if (report.violations.length > 0) failed.push(report)
    tellProgress(session, report, each - first + 1, seeds)
    // Virtual time leaves the event loop no turn of its own: without one, no signal would be heard.
    await new Promise((resolve) => setImmediate(resolve))
    if (session.io.cancel.aborted) return err(interruption(session.io.cancel))
  }
  return ok(answerOf({ engine, first, seeds, counts, faults, failed, trace }))
}

function addTo(totals: Map<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) totals.set(name, (totals.get(name) ?? 0) + count)
}

function tellProgress({ progress }: Session, { seed, violations }: SimulationReport, count: number, seeds: number): void {
  for (const { law, detail } of violations) progress(`seed ${seed}: ${law} is broken: ${detail}`)
  if (count % 100 === 0 && count < seeds) progress(`${count} of ${seeds}`)
}

type Summary = Readonly<{
  engine: string
  first: number
  seeds: number
  counts: ReadonlyMap<string, number>
  faults: ReadonlyMap<string, number>
  failed: readonly SimulationReport[]
  trace: boolean
}>

function answerOf({ engine, first, seeds, counts, faults, failed, trace }: Summary): Answer {
  const verdict =
    failed.length === 0
      ? `All ${seeds} runs kept the laws.\n`
      : `${failed.length} of ${seeds} runs broke a law. To see one again: cbp simulate --seeds 1 --engine ${engine} --seed ${failed[0]?.seed} --trace\n`
  return {
    json: {
      engine,
      firstSeed: first,
      seeds,
      counts: Object.fromEntries(counts),
      faults: Object.fromEntries(faults),
      failed: failed.map(({ seed, violations }) => ({ seed, violations })),
    },
    text: (style) => totalsTable(style, 'counted', counts) + (trace ? totalsTable(style, 'fault', faults) : '') + verdict,
    exitCode: failed.length === 0 ? exitCodes.done : exitCodes.refused,
  }
}

function totalsTable(style: Style, title: string, totals: ReadonlyMap<string, number>): string {
  const rows = [...totals].map(([name, count]) => [name, String(count)])
  return renderTable(style, [{ title }, { title: 'total', align: 'right' }], rows)
}
