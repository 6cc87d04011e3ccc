import type { JsonDifference, JsonValue } from '@cbp/core'
import { structuredPatch } from 'diff'
import { plain, type Style } from './style.ts'

/** JSON for people: indented, with nothing in it that a terminal would obey. */
export function prettyJson(value: unknown): string {
  return JSON.stringify(value, null, 2).split('\n').map(plain).join('\n')
}

/** JSON on one line, cut to `limit` characters. */
export function briefJson(value: unknown, limit: number): string {
  const text = JSON.stringify(value)
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`
}

/** One side of a diff; an absent value is `undefined`. */
export type DiffSide = Readonly<{ title: string; value: JsonValue | undefined }>

/** A unified diff of two values; empty when they are equal. Members are sorted, so that their order makes no difference. */
export function unifiedDiff(style: Style, before: DiffSide, after: DiffSide): string {
  const { hunks } = structuredPatch(before.title, after.title, textOf(before.value), textOf(after.value), undefined, undefined, {
    context: 3,
  })
  if (hunks.length === 0) return ''
  const body = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    style.paint('cyan', `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`),
    ...lines.filter((line) => !line.startsWith('\\')).map((line) => diffLine(style, line)),
  ])
  const head = [style.paint('bold', `--- ${plain(before.title)}`), style.paint('bold', `+++ ${plain(after.title)}`)]
  return `${[...head, ...body].join('\n')}\n`
}

/** An empty side begins after the line before it, as in every unified diff. */
function range(start: number, lines: number): string {
  return lines === 0 ? `${start - 1},0` : `${start},${lines}`
}

function diffLine(style: Style, line: string): string {
  if (line.startsWith('+')) return style.paint('green', line)
  return line.startsWith('-') ? style.paint('red', line) : line
}

function textOf(value: JsonValue | undefined): string {
  return value === undefined ? '' : `${prettyJson(sorted(value))}\n`
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, member]) => [name, sorted(member as JsonValue)]),
  )
}

/** Differences one per line: `+ /limit 5`, `- /limit 5`, `~ /limit 3 → 5`. */
export function differenceLines(style: Style, differences: readonly JsonDifference[]): string {
  return differences.map((difference) => differenceLine(style, difference)).join('\n')
}

function differenceLine(style: Style, difference: JsonDifference): string {
  const place = difference.pointer === '' ? '(value)' : plain(difference.pointer)
  const show = (value: JsonValue): string => plain(briefJson(value, 60))
  switch (difference.op) {
    case 'add':
      return style.paint('green', `  + ${place} ${show(difference.after)}`)
    case 'remove':
      return style.paint('red', `  - ${place} ${show(difference.before)}`)
    case 'replace':
      return style.paint('yellow', `  ~ ${place} ${show(difference.before)} → ${show(difference.after)}`)
  }
}
