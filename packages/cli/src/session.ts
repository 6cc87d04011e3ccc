import type { Command } from 'commander'
import type { Result } from 'neverthrow'
import { type CliIo, type Interruption, writeText } from './cli-io.ts'
import type { Host } from './host.ts'
import { type ExitCode, type Failure, interrupted } from './output/failure.ts'
import { type Style, styleFor } from './output/style.ts'

/** What a command has to say in the end: one value, and how it reads. */
export type Answer = Readonly<{
  json: unknown
  text: (style: Style) => string
  /** 0 when left out. */
  exitCode?: ExitCode
}>

/** What was typed for one argument of a command: several words where it takes several, nothing where it is optional. */
export type Argument = string | readonly string[] | undefined

/** A command at work; `null` when everything was said on the way. */
export type Action<Arguments extends readonly Argument[], Options> = (
  session: Session,
  options: Options,
  ...args: Arguments
) => Promise<Result<Answer | null, Failure>>

export type GlobalOptions = Readonly<{ json?: boolean; color?: boolean; yes?: boolean }>

/** What every command works with. */
export type Session = Readonly<{
  io: CliIo
  host: Host
  /** The command as it was found in the program's tree. */
  command: Command
  json: boolean
  /** Whatever would be asked is answered with yes. */
  yes: boolean
  outStyle: Style
  errStyle: Style
  /** For long-running commands: one piece of the answer. Resolves when the stream has taken it. */
  print: (text: string) => Promise<void>
  /** How far the work has come, on stderr; silent with `--json`. */
  progress: (text: string) => void
  /** Something that the operator should know, on stderr; one JSON document per line with `--json`. */
  notice: (code: string, text: string) => void
}>

export function openSession(io: CliIo, host: Host, command: Command, options: GlobalOptions): Session {
  const json = options.json === true
  const errStyle = styleFor(io.stderr, io.env, options.color)
  return {
    io,
    host,
    command,
    json,
    yes: options.yes === true,
    outStyle: styleFor(io.stdout, io.env, options.color),
    errStyle,
    print: (text) => writeText(io.stdout, text),
    progress: (text) => {
      if (!json) void writeText(io.stderr, `${text}\n`)
    },
    notice: (code, text) => {
      const line = json ? JSON.stringify({ notice: code, detail: text }) : `${errStyle.paint('yellow', 'note:')} ${text}`
      void writeText(io.stderr, `${line}\n`)
    },
  }
}

/** What an interrupted command answers. */
export function interruption(cancel: AbortSignal): Failure {
  return interrupted(cancel.reason as Interruption)
}
