import { CommanderError } from 'commander'
import { type CliIo, writeText } from './cli-io.ts'
import { type Host, systemHost } from './host.ts'
import { type ExitCode, exitCodes, type Failure, failureDocument, failureText, usageFailure } from './output/failure.ts'
import { styleFor } from './output/style.ts'
import { buildProgram, type Dispatch } from './program.ts'
import { type Answer, type GlobalOptions, openSession, type Session } from './session.ts'

/**
 * Runs one command.
 *
 * @param argv what follows the program's name
 * @returns the exit code; everything written has been handed to the streams by then
 */
export async function runCli(argv: readonly string[], io: CliIo, host: Host = systemHost): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.done
  const dispatch: Dispatch = async (load, command, options, args) => {
    const session = openSession(io, host, command, options as GlobalOptions)
    const action = await load()
    const result = await action(session, options, ...args)
    exitCode = await result.match(
      (answer) => tell(session, answer),
      (failure) => complain(io, failure, session),
    )
  }
  const program = buildProgram(dispatch, {
    out: (text) => void writeText(io.stdout, text),
    err: (text) => void writeText(io.stderr, text),
    outColour: styleFor(io.stdout, io.env, !argv.includes('--no-color')),
    width: styleFor(io.stdout, io.env).columns,
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return misused(io, argv, error)
  }
}

async function tell({ json, outStyle, print }: Session, answer: Answer | null): Promise<ExitCode> {
  if (answer === null) return exitCodes.done
  // Indented for people; one line for programs.
  const document = (): string => `${JSON.stringify(answer.json, null, outStyle.columns === null ? undefined : 2)}\n`
  await print(json ? document() : answer.text(outStyle))
  return answer.exitCode ?? exitCodes.done
}

async function complain(io: CliIo, failure: Failure, { json, errStyle }: Pick<Session, 'json' | 'errStyle'>): Promise<ExitCode> {
  const isQuiet = failure.detail === ''
  const text = json ? `${JSON.stringify(failureDocument(failure))}\n` : failureText(failure, errStyle)
  if (!isQuiet) await writeText(io.stderr, text)
  return failure.exitCode
}

const shown = new Set(['commander.helpDisplayed', 'commander.version'])

function misused(io: CliIo, argv: readonly string[], error: CommanderError): ExitCode | Promise<ExitCode> {
  if (shown.has(error.code)) return exitCodes.done
  // Called without a command, a group has shown its help on stderr already.
  if (error.code === 'commander.help') return exitCodes.usage
  const detail = error.message.replace(/^error: /, '')
  const failure = usageFailure('wrong-usage', detail, 'Add --help to see how the command is used, with examples.')
  const wanted = !argv.includes('--no-color')
  return complain(io, failure, { json: argv.includes('--json'), errStyle: styleFor(io.stderr, io.env, wanted) })
}
