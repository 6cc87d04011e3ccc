import { plain, type Style } from './style.ts'

/** What one thing consists of, a line for each part; parts that are `null` are left out. */
export function renderFields(style: Style, fields: readonly (readonly [name: string, value: string | null])[]): string {
  const shown = fields.filter((field): field is readonly [string, string] => field[1] !== null)
  const width = Math.max(0, ...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${style.paint('dim', name.padEnd(width))}  ${plain(value)}\n`).join('')
}
