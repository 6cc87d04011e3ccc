import type { Command } from 'commander'
import { withExamples } from '../program/examples.ts'
import { option, seconds } from '../program/options.ts'
import type { Perform } from '../program/perform.ts'

const settleSeconds = 5

export function addKeyRingCommands(program: Command, perform: Perform): void {
  const keyring = withExamples(
    program
      .command('keyring')
      .summary('the keys that secrets are sealed with')
      .description('The key ring (CBP_KEYRING): its first key seals, all of them open.'),
    ['cbp keyring status', 'which key is needed by how many secrets'],
    ['cbp keyring rotate', 'a new key, and everything sealed again with it'],
  )
  withExamples(
    keyring
      .command('rotate')
      .summary('put a new key first and seal everything again with it')
      .description(
        'Adds a new key that opens only, waits until running instances know it, lets it seal, and seals again, online, whatever ' +
          'older keys have sealed. Interrupted at any point it is run again, and goes on where it was. A ring that comes from a ' +
          'variable or a command is changed where it is kept; here everything is only sealed again.',
      )
      .addOption(
        option('--settle <span>', 'how long instances are given to read the ring again')
          .argParser(seconds)
          .default(settleSeconds, `${settleSeconds}s`),
      )
      .option('--retire', 'afterwards remove the keys that nothing needs any more')
      .action(perform(async () => (await import('./rotate.ts')).rotateKeyRing)),
    ['cbp keyring rotate', 'older keys stay on the ring'],
    ['cbp keyring rotate --retire --yes', 'and are removed, in a script'],
  )
  withExamples(
    keyring
      .command('status')
      .summary('how many secrets need which key')
      .description('Counts sealed secrets by the key that they need. Exit code 1 when one needs a key that is not on the ring.')
      .action(perform(async () => (await import('./status.ts')).keyRingStatus)),
    ['cbp keyring status', 'before an old key is removed by hand'],
    ['cbp keyring status --json', 'for a program'],
  )
}
