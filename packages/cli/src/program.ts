import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addAuditCommands } from './audit/commands.ts'
import { addCompletionCommand } from './completion/commands.ts'
import { addConfigCommands } from './config/commands.ts'
import { addDemoCommand } from './demo/commands.ts'
import { addEventCommands } from './events/commands.ts'
import { addKeyRingCommands } from './keyring/commands.ts'
import { addKeyCommands } from './keys/commands.ts'
import type { Style } from './output/style.ts'
import { addPaymentCommands } from './payments/commands.ts'
import { examplesOf, withExamples } from './program/examples.ts'
import type { LoadAction, Perform } from './program/perform.ts'
import { addServiceCommands } from './service/commands.ts'
import type { Argument } from './session.ts'
import { addSimulateCommand } from './simulation/commands.ts'
import { addTokenCommands } from './token/commands.ts'
import { addWebhookCommands } from './webhooks/commands.ts'

/** Carries out the action of a command whose arguments and options were accepted. */
export type Dispatch = (
  load: LoadAction<readonly Argument[], unknown>,
  command: Command,
  options: unknown,
  args: readonly Argument[],
) => Promise<void>

/** Where help goes, and how it looks. */
export type HelpOutput = Readonly<{
  out: (text: string) => void
  err: (text: string) => void
  outColour: Style
  width: number | null
}>

const helpWidthWithoutTerminal = 100

/** The whole tree of commands. Building it loads no more than their descriptions: actions are loaded when they run. */
export function buildProgram(dispatch: Dispatch, output: HelpOutput): Command {
  const program = new Command('cbp')
    .description('Operate the CBP Config API: versioned configuration, payments, webhooks and events, its service and its stores.')
    .version(version(), '-V, --version', 'show the version')
    .option('--json', 'answer with one JSON document on stdout, and nothing else there')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .option('-y, --yes', 'answer whatever would be asked with yes')
    .helpOption('-h, --help', 'show how a command is used, with examples')
    .helpCommand('help [command]', 'show how a command is used, with examples')
    .exitOverride()
    .configureOutput({
      writeOut: output.out,
      writeErr: output.err,
      // Told by the caller, in the form that was asked for.
      outputError: () => {},
      getOutHelpWidth: () => output.width ?? helpWidthWithoutTerminal,
      getErrHelpWidth: () => output.width ?? helpWidthWithoutTerminal,
      getOutHasColors: () => output.outColour.paint('bold', 'x') !== 'x',
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: true, styleTitle: (title) => output.outColour.paint('bold', title) })
  const perform: Perform = (load) =>
    async function (this: Command) {
      await dispatch(load as LoadAction<readonly Argument[], unknown>, this, this.optsWithGlobals(), this.processedArgs)
    }
  addServiceCommands(program, perform)
  addConfigCommands(program, perform)
  addPaymentCommands(program, perform)
  addWebhookCommands(program, perform)
  addEventCommands(program, perform)
  addKeyCommands(program, perform)
  addAuditCommands(program, perform)
  addKeyRingCommands(program, perform)
  addTokenCommands(program, perform)
  addDemoCommand(program, perform)
  addSimulateCommand(program, perform)
  addCompletionCommand(program, perform)
  withExamples(
    program,
    ['cbp serve', 'run the service'],
    ['cbp config get payments retry.max-attempts --json', 'ask for one setting, for a program'],
    ['cbp config set payments retry.max-attempts 5 --reason "bank asked for fewer"', 'change it'],
  )
  for (const command of [program, ...descendants(program)]) {
    command.addHelpText('after', (context) => formatExamples(context.command, output.outColour))
  }
  return program
}

/** Every command below `command`, itself left out. */
export function descendants(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)])
}

function formatExamples(command: Command, style: Style): string {
  const examples = examplesOf(command)
  if (examples.length === 0) return ''
  const lines = examples.map(([line, purpose]) => `  ${style.paint('dim', `# ${purpose}`)}\n  ${line}`)
  return `\n${style.paint('bold', 'Examples:')}\n${lines.join('\n')}`
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
