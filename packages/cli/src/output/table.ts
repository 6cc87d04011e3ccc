import Table from 'cli-table3'
import { plain, type Style } from './style.ts'

export type Column = Readonly<{ title: string; align?: 'left' | 'right' }>

const gap = '  '
const narrowest = 8

/** Ruled on a terminal and as wide as it at most; otherwise aligned text without lines, for other programs to read. */
export function renderTable(style: Style, columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(plain))
  return style.columns === null ? alignedText(columns, cells) : ruledTable(style, style.columns, columns, cells)
}

function alignedText(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const titles = columns.map(({ title }) => title.toUpperCase())
  const lines = [titles, ...rows]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)))
  return lines
    .map((line) => line.map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.align)).join(gap))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

function pad(cell: string, width: number, align: Column['align']): string {
  return align === 'right' ? cell.padStart(width) : cell.padEnd(width)
}

function ruledTable(style: Style, available: number, columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const natural = columns.map(({ title }, index) => Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)))
  const table = new Table({
    head: columns.map(({ title }) => style.paint('bold', title)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    colWidths: fit(natural, available).map((width) => width + 2),
    wordWrap: true,
    wrapOnWordBoundary: false,
    style: { head: [], border: [] },
  })
  table.push(...rows.map((row) => [...row]))
  return `${table.toString()}\n`
}

/** Takes from the widest columns until padding, rules and text fit. */
function fit(natural: readonly number[], available: number): readonly number[] {
  const widths = [...natural]
  const room = available - 3 * widths.length - 1
  const total = (): number => widths.reduce((sum, width) => sum + width, 0)
  while (total() > room) {
    const widest = widths.indexOf(Math.max(...widths))
    if ((widths[widest] ?? 0) <= narrowest) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}
