import type { Command } from 'commander'
import { withExamples } from '../program/examples.ts'
import { limitOption, wholeNumber } from '../program/options.ts'
import type { Perform } from '../program/perform.ts'

export function addAuditCommands(program: Command, perform: Perform): void {
  const audit = withExamples(
    program
      .command('audit')
      .summary('security actions on record')
      .description(
        'The audit log: keys made, rotated and revoked, secrets revealed, callers refused and limits hit. Nothing of it is ever ' +
          'changed, and its records form a chain that shows what was tampered with.',
      ),
    ['cbp audit list --action api-key.revoked', 'who revoked which key'],
    ['cbp audit verify', 'whether anything was tampered with'],
  )
  withExamples(
    audit
      .command('list')
      .summary('list records, newest first')
      .description('Lists records, newest first. Refusals that are alike are one record a minute, with their number.')
      .option('--action <action>', 'only this, e.g. api-key.revoked or limit.hit')
      .option('--actor <client>', 'only what exactly this client or address did')
      .option('--subject <subject>', 'only what was done to exactly this, e.g. api-key/<id>')
      .option('--from <instant>', 'recorded at or after, e.g. 2026-01-31T00:00:00Z')
      .option('--to <instant>', 'recorded before')
      .addOption(limitOption())
      .option('--before <number>', 'only records numbered below this one', wholeNumber(1))
      .option('--all', 'all of them, page after page')
      .action(perform(async () => (await import('./list.ts')).listAudit)),
    ['cbp audit list --from 2026-01-31T00:00:00Z', 'since an instant'],
    ['cbp audit list --action limit.hit --all --json', 'all of one kind, for a program'],
  )
  withExamples(
    audit
      .command('verify')
      .summary('follow the chain and name what does not fit')
      .description(
        'Follows the chain from its beginning and names each record that was changed, removed, swapped or cut off. Records cut off ' +
          'together with the head show only against an anchor that was noted elsewhere: the log of the service tells one every hour. ' +
          'Exit code 1 when something does not fit.',
      )
      .option('--anchor <number:mac>', 'the end of the chain as it was noted elsewhere')
      .action(perform(async () => (await import('./verify.ts')).verifyAudit)),
    ['cbp audit verify', 'and note the anchor that it tells'],
    ['cbp audit verify --anchor 1204:q7m…= --json', 'against what was noted, for a program'],
  )
}
