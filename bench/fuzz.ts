import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { campaign, kinds, logFaults, type Outcome } from './fuzz/campaign.ts'
import { inner } from './fuzz/oracle.ts'
import { startTarget } from './fuzz/target.ts'
import { progress, type Report } from './lib/report.ts'
import { temporaryDirectory } from './lib/workspace.ts'

const numRequests = Number(process.env['FUZZ_REQUESTS'] ?? 100_000)
const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_101)
const connections = 16

/** Wrong requests of every kind against a service over SQLite; what counts is what they find, not how fast they go. */
export async function fuzz(): Promise<Report> {
  using directory = temporaryDirectory()
  const { host, target, log } = await startTarget(directory.path)
  await using _ending = host
  progress(`${numRequests} requests of ${kinds.length} kinds, seed ${seed}`)
  const startedAt = performance.now()
  const outcome = await campaign(target, { numRequests, seed, connections })
  const seconds = (performance.now() - startedAt) / 1000
  await host.stop()
  const lines = logFaults(log, [...inner, ...target.forbidden])
  keep(outcome, lines)
  for (const fault of outcome.faults.slice(0, 20)) progress(JSON.stringify(fault))
  for (const fault of lines.slice(0, 20)) progress(`log ${fault}`)
  return {
    setup: {
      requests: outcome.sent,
      kinds: outcome.counts.size,
      seed,
      connections,
      seconds: Math.round(seconds),
      perSecond: Math.round(outcome.sent / seconds),
    },
    table: tableOf(outcome),
    aims: [
      { what: 'answers that should not be', figure: outcome.faults.length, unit: 'answers', aim: 0, better: 'lower' },
      { what: 'lines of the log that should not be', figure: lines.length, unit: 'lines', aim: 0, better: 'lower' },
    ],
    samples: { counts: Object.fromEntries([...outcome.counts].map(([kind, row]) => [kind, Object.fromEntries(row)])) },
  }
}

/** Whatever was found, with what was sent. */
function keep(outcome: Outcome, lines: readonly string[]): void {
  if (outcome.faults.length + lines.length === 0) return
  const folder = join(import.meta.dirname, 'results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'fuzz-faults.json'), `${JSON.stringify({ answers: outcome.faults, lines }, null, 2)}\n`)
}

/** A row for each group of kinds and a column for each status. */
function tableOf({ counts }: Outcome): Report['table'] {
  const statuses = [...new Set([...counts.values()].flatMap((row) => [...row.keys()]))].toSorted((one, other) => one - other)
  const rows = [...counts].toSorted(([one], [other]) => one.localeCompare(other))
  return rows.map(([kind, row]) => ({
    kind,
    ...Object.fromEntries(statuses.map((status) => [status === 0 ? 'none' : `s${status}`, row.get(status) ?? 0])),
  }))
}
