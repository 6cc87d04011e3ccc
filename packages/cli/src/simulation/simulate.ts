import { err, ok, type Result } from 'neverthrow'
import { exitCodes, type Failure, refused } from '../output/failure.ts'
import { renderTable } from '../output/table.ts'
import { type Action, type Answer, interruption, type Session } from '../session.ts'

export type SimulateOptions = Readonly<{ seeds: number; seed?: number; engine: 'fakes' | 'sqlite' }>

type Violation = Readonly<{ law: string; detail: string }>
type Report = Readonly<{ seed: number; violations: readonly Violation[]; counts: Readonly<Record<string, number>> }>
type Simulate = (seed: number) => Promise<Report>

const seedRange = 2 ** 31

export const runSimulation: Action<[], SimulateOptions> = async (session, { seeds, seed, engine }) => {
  const simulation = await loadSimulation(engine)
  if (simulation.isErr()) return err(simulation.error)
  const first = seed ?? Math.floor(Math.random() * seedRange)
  session.progress(`Seeds ${first} to ${first + seeds - 1}, over ${engine}.`)
  const counts: Record<string, number> = {}
  const failed: Report[] = []
  for (let each = first; each < first + seeds; each += 1) {
    const report = await simulation.value(each)
    for (const [name, count] of Object.entries(report.counts)) counts[name] = (counts[name] ?? 0) + count
    if (report.violations.length > 0) failed.push(report)
    tellProgress(session, report, each - first + 1, seeds)
    // Virtual time leaves the event loop no turn of its own: without one, no signal would be heard.
    await new Promise((resolve) => setImmediate(resolve))
    if (session.io.cancel.aborted) return err(interruption(session.io.cancel))
  }
  return ok(answerOf({ engine, first, seeds, counts, failed }))
}

/** Loaded when it is asked for, and from the door for tests: nothing else of this program knows a fake. */
async function loadSimulation(engine: SimulateOptions['engine']): Promise<Result<Simulate, Failure>> {
  const testing: Readonly<Record<string, unknown>> = await import('@cbp/core/testing')
  const { simulate } = testing
  if (engine !== 'fakes' || typeof simulate !== 'function') {
    return err(refused('not-available', `This version has no simulation over ${engine}.`))
  }
  return ok((seed) => (simulate as Simulate)(seed))
}

function tellProgress({ progress }: Session, { seed, violations }: Report, count: number, seeds: number): void {
  for (const { law, detail } of violations) progress(`seed ${seed}: ${law} is broken: ${detail}`)
  if (count % 100 === 0 && count < seeds) progress(`${count} of ${seeds}`)
}

type Summary = Readonly<{
  engine: string
  first: number
  seeds: number
  counts: Readonly<Record<string, number>>
  failed: readonly Report[]
}>

function answerOf({ engine, first, seeds, counts, failed }: Summary): Answer {
  const rows = Object.entries(counts).map(([name, count]) => [name, String(count)])
  const verdict =
    failed.length === 0
      ? `All ${seeds} runs kept the laws.\n`
      : `${failed.length} of ${seeds} runs broke a law. To see one again: cbp simulate --seeds 1 --engine ${engine} --seed ${failed[0]?.seed}\n`
  return {
    json: { engine, firstSeed: first, seeds, counts, failed: failed.map(({ seed, violations }) => ({ seed, violations })) },
    text: (style) => renderTable(style, [{ title: 'counted' }, { title: 'total', align: 'right' }], rows) + verdict,
    exitCode: failed.length === 0 ? exitCodes.done : exitCodes.refused,
  }
}
