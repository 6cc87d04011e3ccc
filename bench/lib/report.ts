import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { median } from './statistics.ts'

/** A figure held against what it is meant to be; `range` is what any pairing of rounds would have given. */
export type Aim = Readonly<{
  what: string
  figure: number
  unit: string
  aim: number
  better: 'higher' | 'lower'
  range?: readonly [low: number, high: number]
}>

export type Report = Readonly<{
  /** What was run, and with what. */
  setup: Readonly<Record<string, string | number>>
  /** Rows by name; every row has the same columns. */
  table: readonly Readonly<Record<string, string | number>>[]
  /** Tables with columns of their own, by title. */
  further?: Readonly<Record<string, Report['table']>>
  aims: readonly Aim[]
  /** Everything measured, by series. */
  samples: Readonly<Record<string, unknown>>
  notes?: readonly string[]
}>

type Verdict = 'met' | 'MISSED' | 'UNSETTLED'

/** Met or missed only where the worst and the best pairing of rounds agree: others on the machine must not decide. */
function judge(aim: Aim): Verdict {
  const verdicts = [aim.figure, ...(aim.range ?? [])].map((figure) => isMet({ ...aim, figure }))
  if (verdicts.every((met) => met)) return 'met'
  return verdicts.some((met) => met) ? 'UNSETTLED' : 'MISSED'
}

/** The rates of one thing over those of another: medians, and every pairing of rounds. */
export function ratioOf(own: readonly number[], peer: readonly number[]): Required<Pick<Aim, 'figure' | 'range'>> {
  const range = [Math.min(...own) / Math.max(...peer), Math.max(...own) / Math.min(...peer)] as const
  return { figure: median(own) / median(peer), range }
}

/** Progress goes to stderr, figures to stdout. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}

function isMet({ figure, aim, better }: Aim): boolean {
  return better === 'higher' ? figure >= aim : figure <= aim
}

type Machine = Readonly<{
  cpu: string
  cores: number
  memoryGiB: number
  kernel: string
  node: string
  load: readonly number[]
  commit: string
}>

export function machine(): Machine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    load: loadavg(),
    commit: commit(),
  }
}

/** What was measured; a plus sign stands for changes of the packages that are not committed. */
function commit(): string {
  const git = (...args: readonly string[]): string => execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim()
  const changed = git('status', '--porcelain', '--', '../../packages')
  return `${git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : '+'}`
}

/** Half a core in use by others already moves ratios on a small machine. */
function isBusy({ load }: Machine): boolean {
  return (load[0] ?? 0) > 0.5
}

/** Prints the summary and keeps all samples beside it. */
export function publish(name: string, { setup, table, further = {}, aims, samples, notes = [] }: Report, before: Machine): void {
  const now = new Date().toISOString()
  const machines = { ...before, loadAfter: loadavg() }
  const folder = join(import.meta.dirname, '..', 'results')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${name}-${now.slice(0, 19).replaceAll(/[:T]/g, '-')}.json`)
  const judged = aims.map((aim) => ({ ...aim, verdict: judge(aim) }))
  writeFileSync(file, `${JSON.stringify({ name, date: now, machine: machines, setup, table, further, aims: judged, notes, samples })}\n`)
  const lines = [
    `\n${name}  ${now}  ${before.cpu}, ${before.cores} cores, Node ${before.node}, commit ${before.commit}, load ${before.load.map((load) => load.toFixed(2)).join(' ')}`,
    ...Object.entries(setup).map(([key, value]) => `  ${key}: ${value}`),
    '',
    ...textTable(table),
    '',
    ...Object.entries(further).flatMap(([title, rows]) => (rows.length === 0 ? [] : [`  ${title}`, ...textTable(rows), ''])),
    ...judged.map(describeAim),
    ...(isBusy(before)
      ? ['  note: the load average says that others, or a benchmark before this one, were at work: repeat when it is quiet']
      : []),
    ...notes.map((note) => `  note: ${note}`),
    `  raw figures: ${file}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

function describeAim({ what, figure, unit, aim, better, range, verdict }: Aim & { verdict: Verdict }): string {
  const sign = better === 'higher' ? '>=' : '<='
  return `  ${verdict.padEnd(9)} ${what}: ${shown(figure)} ${unit}${range === undefined ? '' : ` (${shown(range[0])} to ${shown(range[1])})`}, aim ${sign} ${aim}`
}

function shown(value: string | number): string {
  if (typeof value === 'string') return value
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}

function textTable(rows: Report['table']): readonly string[] {
  const columns = Object.keys(rows[0] ?? {})
  const cells = [columns, ...rows.map((row) => columns.map((column) => shown(row[column] ?? '')))]
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)))
  return cells.map((row) => `  ${row.map((cell, index) => pad(cell, widths[index] ?? 0, index === 0)).join('  ')}`)
}

function pad(cell: string, width: number, left: boolean): string {
  return left ? cell.padEnd(width) : cell.padStart(width)
}
