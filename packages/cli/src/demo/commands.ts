import type { Command } from 'commander'
import { withExamples } from '../program/examples.ts'
import { option, seconds } from '../program/options.ts'
import type { Perform } from '../program/perform.ts'

export function addDemoCommand(program: Command, perform: Perform): void {
  withExamples(
    program
      .command('demo')
      .summary('see a payment go all the way, step by step')
      .description(
        'Takes a payment all the way through a running service over HTTP, as a client does: subscribes a receiver on this ' +
          'machine, makes and processes a payment, hears of it by signed webhooks, and verifies it. Without --url it starts a ' +
          'service of its own, over a data directory that it removes again. Exit code 1 when a step fails.\n' +
          'With --url the receiver listens on the loopback of this machine: the service has to run here, in development. ' +
          'The token needs payments:read payments:write webhooks:read webhooks:write.',
      )
      .option('--url <url>', 'a running service, e.g. http://127.0.0.1:8080')
      .option(
        '--token <token>',
        'the bearer token for --url; CBP_TOKEN keeps it out of the process list; without either, one is minted in development',
      )
      .addOption(option('--timeout <time>', 'how long to wait for each thing to happen, e.g. 10s').argParser(seconds).default(30, '30s'))
      .action(perform(async () => (await import('./demo.ts')).runDemo)),
    ['cbp demo', 'with a service of its own'],
    ['cbp demo --url http://127.0.0.1:8080', 'with the one that "cbp serve" runs over the same data directory'],
    ['cbp demo --json', 'one document with every step and how long it took'],
  )
}
