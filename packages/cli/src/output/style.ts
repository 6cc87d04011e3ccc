import { styleText } from 'node:util'
import type { OutStream } from '../cli-io.ts'

type Format = Parameters<typeof styleText>[0]

/** How text looks on one stream. */
export type Style = Readonly<{
  /** The width of the terminal, or `null` where none is watching. */
  columns: number | null
  paint: (format: Format, text: string) => string
}>

const assumedColumns = 80

/** Colour only on a terminal, unless FORCE_COLOR asks for it; never against NO_COLOR or `--no-color`. */
export function styleFor(stream: OutStream, env: Readonly<Record<string, string | undefined>>, wanted = true): Style {
  const isTerminal = stream.isTTY === true
  const forced = isSet(env['FORCE_COLOR']) && env['FORCE_COLOR'] !== '0'
  const coloured = wanted && !isSet(env['NO_COLOR']) && (forced || (isTerminal && env['TERM'] !== 'dumb'))
  return {
    columns: isTerminal ? (stream.columns ?? assumedColumns) : null,
    paint: (format, text) => (coloured ? styleText(format, text, { validateStream: false }) : text),
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}

/** Makes text from elsewhere harmless: nothing in it may move the cursor, change colours or reorder what is read. */
export function plain(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
