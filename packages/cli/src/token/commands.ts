import type { Command } from 'commander'
import { withExamples } from '../program/examples.ts'
import { option, seconds } from '../program/options.ts'
import type { Perform } from '../program/perform.ts'

export function addTokenCommands(program: Command, perform: Perform): void {
  const token = withExamples(
    program.command('token').summary('tokens for development').description('Tokens for development.'),
    ['cbp token mint --scope admin', 'a token that may do everything'],
    ['export CBP_TOKEN="$(cbp token mint --scope config:read)"', 'for the commands that take --url'],
  )
  withExamples(
    token
      .command('mint')
      .summary('sign a token with the development key')
      .description(
        'Signs a bearer token with the key in the data directory, which a service over the same directory accepts. Development only.',
      )
      .option('--sub <subject>', 'whom the token is for', 'developer')
      .option('--scope <permissions>', 'what it permits, with spaces between, e.g. "config:read config:write"', 'admin')
      .option('--config-scope <scope...>', 'confine it to these configuration scopes and below')
      .addOption(option('--expires <time>', 'how long it is good for, e.g. 15m or 8h').argParser(seconds).default(3600, '1h'))
      .action(perform(async () => (await import('./mint.ts')).mintDevelopmentToken)),
    ['cbp token mint --sub billing --scope "config:read config:write" --expires 8h', 'for one client, for a working day'],
    ['cbp token mint --scope config:read --config-scope /production --json', 'confined, with its expiry, for a program'],
  )
}
