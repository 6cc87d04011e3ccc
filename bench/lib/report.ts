import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'

/** A figure held against what it is meant to be. */
export type Aim = Readonly<{ what: string; figure: number; unit: string; aim: number; better: 'higher' | 'lower' }>

export type Report = Readonly<{
  /** What was run, and with what. */
  setup: Readonly<Record<string, string | number>>
  /** Rows by name; every row has the same columns. */
  table: readonly Readonly<Record<string, string | number>>[]
  aims: readonly Aim[]
  /** Everything measured, by series. */
  samples: Readonly<Record<string, unknown>>
  notes?: readonly string[]
}>

/** Progress goes to stderr, figures to stdout. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}

function isMet({ figure, aim, better }: Aim): boolean {
  return better === 'higher' ? figure >= aim : figure <= aim
}

type Machine = Readonly<{ cpu: string; cores: number; memoryGiB: number; kernel: string; node: string; load: readonly number[] }>

export function machine(): Machine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    load: loadavg(),
  }
}

/** Half a core in use by others already moves ratios on a small machine. */
function isBusy({ load }: Machine): boolean {
  return (load[0] ?? 0) > 0.5
}

/** Prints the summary and keeps all samples beside it. */
export function publish(name: string, { setup, table, aims, samples, notes = [] }: Report, before: Machine): void {
  const now = new Date().toISOString()
  const machines = { ...before, loadAfter: loadavg() }
  const folder = join(import.meta.dirname, '..', 'results')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${name}-${now.slice(0, 19).replaceAll(/[:T]/g, '-')}.json`)
  const judged = aims.map((aim) => ({ ...aim, met: isMet(aim) }))
  writeFileSync(file, `${JSON.stringify({ name, date: now, machine: machines, setup, table, aims: judged, notes, samples })}\n`)
  const lines = [
    `\n${name}  ${now}  ${before.cpu}, ${before.cores} cores, Node ${before.node}, load ${before.load.map((load) => load.toFixed(2)).join(' ')}`,
    ...Object.entries(setup).map(([key, value]) => `  ${key}: ${value}`),
    '',
    ...textTable(table),
    '',
    ...judged.map(describeAim),
    ...(isBusy(before)
      ? ['  note: the load average says that others, or a benchmark before this one, were at work: repeat when it is quiet']
      : []),
    ...notes.map((note) => `  note: ${note}`),
    `  raw figures: ${file}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

function describeAim({ what, figure, unit, aim, better, met }: Aim & { met: boolean }): string {
  const sign = better === 'higher' ? '>=' : '<='
  return `  ${met ? 'met   ' : 'MISSED'} ${what}: ${shown(figure)} ${unit} (aim ${sign} ${aim})`
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
