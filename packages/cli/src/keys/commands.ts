import type { Permission } from '@cbp/core'
import { type Command, InvalidArgumentError } from 'commander'
import { withExamples } from '../program/examples.ts'
import { option, pageOptions, wholeNumber } from '../program/options.ts'
import type { Perform } from '../program/perform.ts'
import { permissions } from './permissions.ts'

const idArgument = ['<id>', 'the id of the key'] as const
const exampleId = '01890000-0000-7000-8000-000000000001'

export function addKeyCommands(program: Command, perform: Perform): void {
  const key = withExamples(
    program
      .command('key')
      .summary('API keys: credentials of services')
      .description(
        'API keys: credentials of services. A key is told once, or sealed to a public key so that only its recipient ever sees it. ' +
          'An operator sees the keys of every client and grants anything; with a token in CBP_TOKEN the command acts as its client, ' +
          'and grants no more than the token allows.',
      ),
    ['cbp key create "till 7" --permissions payments:read', 'a key that may look at payments'],
    [`cbp key rotate ${exampleId} --to recipient.jwk`, 'a new secret, sealed to its recipient'],
  )
  addCreating(key, perform)
  addReads(key, perform)
  addChanges(key, perform)
}

function recipientOption() {
  return option('--to <file>', 'seal the key to this public key (JWK; - reads it from standard input), so that nobody else sees it')
}

function addCreating(key: Command, perform: Perform): void {
  withExamples(
    key
      .command('create')
      .summary('make a key')
      .description(
        'Makes a key and prints it, this once; with --to it prints what its recipient alone can open (JWE, e.g. with `step crypto jwe decrypt`).',
      )
      .argument('<name>', 'what it is for')
      .addOption(
        option('--permissions <permission...>', 'what it may do; several apart by blanks or commas')
          .choices(permissions)
          .argParser(readPermissions)
          .makeOptionMandatory(),
      )
      .option('--scope <scope...>', 'confine it to these configuration scopes, and below')
      .option('--from <block...>', 'only from these addresses or CIDR blocks, e.g. 192.0.2.0/24')
      .addOption(option('--days <count>', 'how long each of its secrets is valid; never longer than the policy').argParser(wholeNumber(1)))
      .addOption(recipientOption())
      .action(perform(async () => (await import('./issue.ts')).createKey)),
    ['cbp key create "till 7" --permissions payments:read,payments:write --from 192.0.2.0/24', 'only from one network'],
    ['cbp key create "first cu" --permissions config:read --scope /production/first-cu --days 30', 'confined to a scope, for 30 days'],
    ['cbp key create billing --permissions payments:read --to recipient.jwk --json', 'sealed, for a program, with "jwe"'],
  )
}

function readPermissions(text: string, before: readonly Permission[] | undefined): readonly Permission[] {
  const chosen = text.split(',').map((word) => permissions.find((each) => each === word.trim().toLowerCase()))
  if (chosen.includes(undefined)) throw new InvalidArgumentError(`Allowed choices are ${permissions.join(', ')}.`)
  return [...new Set([...(before ?? []), ...(chosen as readonly Permission[])])]
}

function addReads(key: Command, perform: Perform): void {
  const list = key.command('list').summary('list keys, newest first').description('Lists keys, newest first; never their secrets.')
  for (const each of pageOptions('keys')) list.addOption(each)
  withExamples(
    list.action(perform(async () => (await import('./keys.ts')).listKeys)),
    ['cbp key list', 'which keys there are, and when they expire'],
    ['cbp key list --all --json', 'all of them, for a program'],
  )
  withExamples(
    key
      .command('show')
      .summary('show a key')
      .description('Shows a key. Of its secrets it tells no more than when each ends.')
      .argument(...idArgument)
      .action(perform(async () => (await import('./keys.ts')).showKey)),
    [`cbp key show ${exampleId}`, 'for people'],
    [`cbp key show ${exampleId} --json`, 'for a program'],
  )
}

function addChanges(key: Command, perform: Perform): void {
  withExamples(
    key
      .command('rotate')
      .summary('give a key a new secret')
      .description(
        'Gives a key a new secret and prints it, this once. The ones before stay valid for the overlap, 7 days unless set otherwise.',
      )
      .argument(...idArgument)
      .addOption(recipientOption())
      .action(perform(async () => (await import('./issue.ts')).rotateKey)),
    [`cbp key rotate ${exampleId}`, 'install the new one within the overlap'],
    [`cbp key rotate ${exampleId} --to recipient.jwk --json`, 'sealed, for a program, with "jwe"'],
  )
  withExamples(
    key
      .command('revoke')
      .summary('end a key for good')
      .description(
        'Ends a key with all of its secrets, for good, everywhere within a minute. Asks first; without a terminal it needs --yes.',
      )
      .argument(...idArgument)
      .option('--reason <text>', 'why; the audit log keeps it')
      .action(perform(async () => (await import('./keys.ts')).revokeKey)),
    [`cbp key revoke ${exampleId} --reason "lost with the laptop"`, 'asks first'],
    [`cbp key revoke ${exampleId} --yes`, 'in a script'],
  )
}
