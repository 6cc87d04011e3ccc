import { Argument, type Command } from 'commander'
import { withExamples } from '../program/examples.ts'
import type { Perform } from '../program/perform.ts'

const shells = ['bash', 'zsh', 'fish'] as const

export function addCompletionCommand(program: Command, perform: Perform): void {
  withExamples(
    program
      .command('completion')
      .summary('print a script that completes commands in a shell')
      .description('Prints a script that completes commands, options and their choices in a shell.')
      .addArgument(new Argument('<shell>', 'the shell').choices(shells))
      .action(perform(async () => (await import('./completion.ts')).printCompletion)),
    ['source <(cbp completion bash)', 'for this session of bash'],
    ['cbp completion zsh > ~/.zfunc/_cbp', 'for every session of zsh that has ~/.zfunc in its fpath'],
    ['cbp completion fish > ~/.config/fish/completions/cbp.fish', 'for every session of fish'],
  )
}
