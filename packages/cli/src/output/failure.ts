import type { InputFault } from '@cbp/core'
import type { Interruption } from '../cli-io.ts'
import type { Style } from './style.ts'

/** 0 done, 1 refused or failed, 2 wrong usage, 3 conflict, 4 not found, 5 unavailable; 130 and 143 after a signal. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 130 | 143

export const exitCodes = { done: 0, refused: 1, usage: 2, conflict: 3, notFound: 4, unavailable: 5 } as const

/** How a command ended without doing what it was asked to. */
export type Failure = Readonly<{
  exitCode: ExitCode
  /** Stable, lower-kebab. */
  code: string
  /** What happened: whole sentences. */
  detail: string
  /** What to do about it: a whole sentence. */
  mend?: string
  errors?: readonly InputFault[]
  /** Further members of the JSON form. */
  members?: Readonly<Record<string, unknown>>
  /** Further lines of the text form. */
  more?: (style: Style) => string
}>

export function usageFailure(code: string, detail: string, mend?: string): Failure {
  return { exitCode: exitCodes.usage, code, detail, ...(mend === undefined ? {} : { mend }) }
}

export function unavailable(code: string, detail: string, mend?: string): Failure {
  return { exitCode: exitCodes.unavailable, code, detail, ...(mend === undefined ? {} : { mend }) }
}

export function refused(code: string, detail: string, mend?: string): Failure {
  return { exitCode: exitCodes.refused, code, detail, ...(mend === undefined ? {} : { mend }) }
}

/** A reader that went away has what it wanted; a signal ends with the code that shells expect of it. */
export function interrupted(reason: Interruption): Failure {
  if (reason === 'pipe-closed') return { exitCode: exitCodes.done, code: 'pipe-closed', detail: '' }
  // Whoever noticed has told already.
  if (reason === 'unwritable') return { exitCode: exitCodes.refused, code: 'unwritable-output', detail: '' }
  return { exitCode: reason === 'SIGINT' ? 130 : 143, code: 'interrupted', detail: `Interrupted by ${reason}.` }
}

/** The JSON form, in the manner of RFC 9457. */
export function failureDocument({ exitCode, code, detail, mend, errors, members }: Failure): Readonly<Record<string, unknown>> {
  return {
    code,
    detail,
    exitCode,
    ...(mend === undefined ? {} : { mend }),
    ...(errors === undefined ? {} : { errors }),
    ...members,
  }
}

export function failureText({ detail, mend, errors = [], more }: Failure, style: Style): string {
  if (detail === '') return ''
  const faults = errors.map(({ pointer, message }) => `  ${pointer === '' ? '' : `${pointer}: `}${message}`)
  const lines = [`${style.paint(['red', 'bold'], 'error:')} ${detail}`, ...faults, more?.(style) ?? '', mend ?? '']
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}
