import type { Command } from 'commander'
import { withExamples } from '../program/examples.ts'
import { serviceOptions } from '../program/options.ts'
import type { Perform } from '../program/perform.ts'

/** The service itself, its stores and how they are. */
export function addServiceCommands(program: Command, perform: Perform): void {
  withExamples(
    program
      .command('serve')
      .summary('run the service')
      .description('Runs the service until SIGTERM or Ctrl-C. The settings come from the environment and the .env file.')
      .action(perform(async () => (await import('./serve.ts')).serveUntilStopped)),
    ['cbp serve', 'on 127.0.0.1:8080, with its data in ./.cbp'],
    ['CBP_PORT=0 CBP_DATA_DIR=/tmp/cbp cbp serve', 'on a free port, which the first line on stdout tells'],
  )
  withExamples(
    program
      .command('migrate')
      .summary('bring the tables of the store up to date')
      .description('Brings the tables of the store up to date. The service does so itself when it starts; this does it beforehand.')
      .option('--plan', 'show what would be done, and do nothing')
      .action(perform(async () => (await import('./migrate.ts')).migrateStore)),
    ['cbp migrate --plan', 'what is yet to be done'],
    ['CBP_SQL_URL=sqlite:/var/lib/cbp/cbp.sqlite cbp migrate', 'of another store'],
  )
  const health = program
    .command('health')
    .summary('check the store of this machine, or a running service')
    .description('Checks the store of this machine, or with --url a running service. Exit code 5 when something has failed.')
  for (const each of serviceOptions()) health.addOption(each)
  withExamples(
    health.action(perform(async () => (await import('./health.ts')).checkHealth)),
    ['cbp health', 'whether the store can be opened and read'],
    ['cbp health --url http://127.0.0.1:8080 --json', 'what a running service says of itself'],
  )
}
