import type { Command } from 'commander'
import { withExamples } from '../program/examples.ts'
import { option, serviceOptions, wholeNumber } from '../program/options.ts'
import type { Perform } from '../program/perform.ts'

const scopeOption = ['--scope <scope>', 'the scope, e.g. /production or /production/first-cu', '/'] as const
const componentArgument = ['<component>', 'the part of the platform that owns the setting, e.g. payments'] as const
const keyArgument = ['<key>', 'the name of the setting, e.g. retry.max-attempts'] as const
const asOfOption = ['--as-of <point>', 'as it was at a revision, or at an instant such as 2026-01-31T12:00:00Z'] as const
const reasonOption = ['--reason <text>', 'why; the history keeps it'] as const

export function addConfigCommands(program: Command, perform: Perform): void {
  const config = withExamples(
    program.command('config').description('Read, change and follow configuration.').summary('read, change and follow configuration'),
    ['cbp config list', 'which components there are'],
    ['cbp config get payments retry.max-attempts --scope /production', 'one value, as it counts in production'],
  )
  addReads(config, perform)
  addHistory(config, perform)
  addWrites(config, perform)
  addWatch(config, perform)
}

function addReads(config: Command, perform: Perform): void {
  withExamples(
    config
      .command('get')
      .summary('show the value that counts at a scope')
      .description('Shows the value that counts at a scope, inheritance included: pretty JSON, or with --json everything about it.')
      .argument(...componentArgument)
      .argument(...keyArgument)
      .option(...scopeOption)
      .option('--raw', 'the entry at exactly this scope, nothing inherited')
      .option(...asOfOption)
      .addOption(option('--provenance', 'show where each part of the value comes from').conflicts('raw'))
      .action(perform(async () => (await import('./get.ts')).getSetting)),
    ['cbp config get payments retry.max-attempts', 'the value for everyone'],
    ['cbp config get security rate-limit.per-ip --scope /production --provenance', 'which scope each part comes from'],
    ['cbp config get payments limits --raw --json', 'the entry itself, with the ETag to write against'],
    ['cbp config get payments limits --as-of 2026-01-31T12:00:00Z', 'what it was'],
  )
  withExamples(
    config
      .command('list')
      .summary('list components, or the settings of one')
      .description('Lists the components; or, given one, every setting of it as it counts at a scope.')
      .argument('[component]', componentArgument[1])
      .option(...scopeOption)
      .option(...asOfOption)
      .action(perform(async () => (await import('./list.ts')).listSettings)),
    ['cbp config list', 'all components, with their counts'],
    ['cbp config list payments --scope /production', 'every setting of one, as it counts in production'],
    ['cbp config list payments --json', 'the same for a program, with the cursor to watch from'],
  )
}

function addHistory(config: Command, perform: Perform): void {
  withExamples(
    config
      .command('history')
      .summary('list the versions of an entry')
      .description('Lists the versions of the entry at exactly one scope, newest first, deletions included.')
      .argument(...componentArgument)
      .argument(...keyArgument)
      .option(...scopeOption)
      .addOption(option('--limit <count>', 'how many').argParser(wholeNumber(1)).default(20))
      .addOption(option('--before <version>', 'only versions older than this one').argParser(wholeNumber(1)))
      .action(perform(async () => (await import('./history.ts')).showHistory)),
    ['cbp config history payments retry.max-attempts', 'who changed it, when and why'],
    ['cbp config history payments limits --scope /production --limit 5 --json', 'the last five, for a program'],
  )
  withExamples(
    config
      .command('diff')
      .summary('show what changed between two versions of an entry')
      .description('Shows what changed between two versions of the entry at one scope; by default between the last two.')
      .argument(...componentArgument)
      .argument(...keyArgument)
      .option(...scopeOption)
      .addOption(option('--from <version>', 'the older side; the version before --to by default').argParser(wholeNumber(1)))
      .addOption(option('--to <version>', 'the newer side; the newest version by default').argParser(wholeNumber(1)))
      .action(perform(async () => (await import('./diff.ts')).showDiff)),
    ['cbp config diff payments retry.max-attempts', 'what the last change did'],
    ['cbp config diff payments limits --from 3 --to 7 --scope /production', 'between two versions'],
  )
}

function addWrites(config: Command, perform: Perform): void {
  withExamples(
    conditional(
      config
        .command('set')
        .summary('set the value at one scope')
        .description(
          'Sets the value at one scope. The value is JSON; a bare word is taken as text only with --string.\n' +
            'The write is always conditional: without --if-version, --if-match or --create it is made against the entry as it ' +
            'is read now, so that of two that race one is refused with exit code 3.',
        )
        .argument(...componentArgument)
        .argument(...keyArgument)
        .argument('[value]', 'the value as JSON; - reads it from standard input')
        .option(...scopeOption)
        .option('--file <path>', 'read the value from a file')
        .option('--string', 'the value is text, not JSON')
        .requiredOption(...reasonOption),
    ).action(perform(async () => (await import('./set.ts')).setSetting)),
    ['cbp config set payments retry.max-attempts 5 --reason "bank asked for fewer"', 'a number'],
    ['cbp config set payments greeting hello --string --reason "first text"', 'text'],
    [
      'cbp config set payments limits --file limits.json --scope /production --create --reason "go live"',
      'from a file, only where none is set',
    ],
    ['echo \'{"daily": 500}\' | cbp config set payments limits - --if-version 3 --reason "new limit"', 'from a pipe, against version 3'],
  )
  withExamples(
    conditional(
      config
        .command('unset')
        .summary('remove the value at one scope, so that it inherits again')
        .description(
          'Removes the value at one scope, so that it inherits again. The history keeps it. Asks first; without a terminal it needs --yes.',
        )
        .argument(...componentArgument)
        .argument(...keyArgument)
        .option(...scopeOption)
        .requiredOption(...reasonOption),
    ).action(perform(async () => (await import('./unset.ts')).unsetSetting)),
    ['cbp config unset payments retry.max-attempts --scope /production --reason "the default will do"', 'asks first'],
    ['cbp config unset payments limits --if-version 4 --yes --reason "clean-up"', 'in a script'],
  )
  withExamples(
    conditional(
      config
        .command('rollback')
        .summary('return to an older version')
        .description('Makes a new version with the content of an older one. Asks first; without a terminal it needs --yes.')
        .argument(...componentArgument)
        .argument(...keyArgument)
        .option(...scopeOption)
        .addOption(option('--to <version>', 'the version to return to').argParser(wholeNumber(1)).makeOptionMandatory())
        .requiredOption(...reasonOption),
    ).action(perform(async () => (await import('./rollback.ts')).rollBackSetting)),
    ['cbp config rollback payments retry.max-attempts --to 3 --reason "5 was too many"', 'asks first, showing what would change'],
    ['cbp config rollback payments limits --to 2 --scope /production --yes --reason "incident"', 'in a script'],
  )
}

/** What a write may require of the entry. */
function conditional(command: Command): Command {
  return command
    .addOption(
      option('--if-version <version>', 'only if this is still its version').argParser(wholeNumber(0)).conflicts(['ifMatch', 'create']),
    )
    .addOption(option('--if-match <etag>', 'only if this is still its ETag').conflicts(['ifVersion', 'create']))
    .addOption(option('--create', 'only if nothing is set there').conflicts(['ifVersion', 'ifMatch']))
}

function addWatch(config: Command, perform: Perform): void {
  const watch = config
    .command('watch')
    .summary('follow changes as they happen')
    .description(
      'Follows changes: one line for each, until Ctrl-C. With --json one JSON document a line for each revision, which holds all ' +
        'that one write changed; notices are JSON lines on stderr. A service may go and come back: nothing is missed or repeated.',
    )
    .option('--component <component>', 'changes of this component only')
    .option('--scope <scope>', 'changes that count at this scope only: those at it and above it')
    .option('--since <cursor>', 'begin after this cursor or revision; by default after the newest one')
    .option('--strict', 'end with exit code 1 when the history was replaced, instead of going on from its head')
  for (const each of serviceOptions()) watch.addOption(each)
  withExamples(
    watch.action(perform(async () => (await import('./watch/watch.ts')).watchConfig)),
    ['cbp config watch --component payments', "one component, on this machine's store"],
    ['cbp config watch --scope /production --since 120 --json', 'all that counts in production after revision 120, for a program'],
    ['CBP_TOKEN=… cbp config watch --url http://127.0.0.1:8080', 'of a running service'],
  )
}
