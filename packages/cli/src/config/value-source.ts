import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isNumberKept, type JsonValue } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { type Failure, usageFailure } from '../output/failure.ts'
import { plain } from '../output/style.ts'
import { interruption, type Session } from '../session.ts'

export type ValueOptions = Readonly<{ file?: string; string?: boolean }>

/** Far more than any value may take; the exact limit is core's to tell. */
const inputLimitBytes = 1024 * 1024
const standardInput = '-'

/** The value to set: an argument, a file, or standard input; JSON unless `--string` says that it is text. */
export async function readValue(
  session: Session,
  argument: string | undefined,
  options: ValueOptions,
): Promise<Result<JsonValue, Failure>> {
  if (argument !== undefined && options.file !== undefined) {
    return err(usageFailure('wrong-usage', 'There is a value and a --file; give one of them.'))
  }
  const source = options.file ?? argument
  if (source === undefined) {
    return err(
      usageFailure(
        'wrong-usage',
        'There is no value.',
        'Give it as an argument, as --file <path>, or as - to read it from standard input.',
      ),
    )
  }
  const text = await readSource(session, source, options.file !== undefined)
  if (text.isErr()) return err(text.error)
  if (options.string === true) return ok(source === argument && source !== standardInput ? text.value : withoutLastLineEnd(text.value))
  return parseValue(text.value)
}

async function readSource(session: Session, source: string, isFile: boolean): Promise<Result<string, Failure>> {
  if (source === standardInput) return readStandardInput(session)
  return isFile ? readValueFile(resolve(session.io.cwd, source)) : ok(source)
}

async function readValueFile(path: string): Promise<Result<string, Failure>> {
  try {
    const { size } = await stat(path)
    return size > inputLimitBytes ? err(tooLarge(path)) : ok(await readFile(path, 'utf8'))
  } catch (error) {
    return err(usageFailure('unreadable-file', `The file ${path} cannot be read: ${(error as Error).message}.`))
  }
}

/** However long the writer of the pipe takes; an interruption ends it. */
async function readStandardInput({ io, progress }: Session): Promise<Result<string, Failure>> {
  if (io.stdin.isTTY === true) progress('Reading the value from the terminal; Ctrl-D ends it.')
  const chunks: Buffer[] = []
  let bytes = 0
  const { promise: cancelled, resolve: cancelNow } = Promise.withResolvers<null>()
  const onCancel = (): void => cancelNow(null)
  io.cancel.addEventListener('abort', onCancel, { once: true })
  const input = io.stdin[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await Promise.race([input.next(), cancelled])
      if (next === null) return err(interruption(io.cancel))
      if (next.done === true) return ok(Buffer.concat(chunks).toString('utf8'))
      const chunk = Buffer.from(next.value)
      bytes += chunk.length
      if (bytes > inputLimitBytes) return err(tooLarge('Standard input'))
      chunks.push(chunk)
    }
  } finally {
    io.cancel.removeEventListener('abort', onCancel)
  }
}

function tooLarge(what: string): Failure {
  return usageFailure('value-too-large', `${what} holds more than ${inputLimitBytes} bytes; a value takes at most 64 KiB.`)
}

/** Editors and `echo` end a file with a line end that nobody means. */
function withoutLastLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}

/** Reads JSON; a number that would not be kept as it was written is refused. */
function parseValue(text: string): Result<JsonValue, Failure> {
  const changed: string[] = []
  try {
    const value = JSON.parse(text.replace(/^\uFEFF/, ''), (_name, member: unknown, context?: Readonly<{ source?: string }>) => {
      if (typeof member === 'number' && context?.source !== undefined && !isNumberKept(member, context.source)) changed.push(context.source)
      return member
    }) as JsonValue
    return changed.length === 0 ? ok(value) : err(inexact(changed))
  } catch (error) {
    return err(notJson(text, error as Error))
  }
}

function inexact(sources: readonly string[]): Failure {
  return usageFailure(
    'inexact-number',
    `${sources.join(', ')} cannot be kept exactly: JSON numbers are 64-bit floating point here.`,
    'Write it as a string, in double quotes.',
  )
}

function notJson(text: string, error: Error): Failure {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text
  return usageFailure(
    'invalid-json',
    `The value is not JSON: ${plain(shown.trim())} (${plain(error.message)}).`,
    'Add --string to set it as text, or write JSON; within a shell \'"text"\' is a string, \'{"limit": 5}\' an object.',
  )
}
