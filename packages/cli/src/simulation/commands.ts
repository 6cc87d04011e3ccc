import type { Command } from 'commander'
import { withExamples } from '../program/examples.ts'
import { option, wholeNumber } from '../program/options.ts'
import type { Perform } from '../program/perform.ts'

export function addSimulateCommand(program: Command, perform: Perform): void {
  withExamples(
    program
      .command('simulate')
      .summary('hold the core against its laws under faults')
      .description(
        'Runs the real core over faulty ports in virtual time, one run for each seed: first faults, then everything heals and the ' +
          'backlog must drain. A seed that fails replays exactly.',
      )
      .addOption(option('--seeds <count>', 'how many runs').argParser(wholeNumber(1)).default(100))
      .addOption(option('--seed <first>', 'the seed of the first run; the others follow it').argParser(wholeNumber(0)))
      .addOption(option('--engine <engine>', 'what stores').choices(['fakes', 'sqlite']).default('fakes'))
      .addOption(option('--trace', 'tell what happens in each run, with the virtual time, and in the end how often each fault has struck'))
      .action(perform(async () => (await import('./simulate.ts')).runSimulation)),
    ['cbp simulate --seeds 1000', 'a thousand runs over the fakes'],
    ['cbp simulate --seed 4711 --seeds 1 --engine sqlite --trace', 'one run again, over SQLite, step by step'],
  )
}
