import type { Command } from 'commander'
import { withExamples } from '../program/examples.ts'
import { limitOption, oneOf, option, pageOptions } from '../program/options.ts'
import type { Perform } from '../program/perform.ts'
import { deadLetterStates } from './states.ts'

export function addEventCommands(program: Command, perform: Perform): void {
  const events = withExamples(
    program
      .command('events')
      .summary('streams of events, and those that could not be applied')
      .description(
        'Streams of events on their way out, and dead letters: events that a consumer could not apply. ' +
          'No events are sent from here: the serving instances (cbp serve) do that.',
      ),
    ['cbp events streams --blocked', 'what waits for somebody'],
    ['cbp events dead', 'what could not be applied'],
  )
  addStreams(events, perform)
  addDeadLetters(events, perform)
}

function addStreams(events: Command, perform: Perform): void {
  withExamples(
    events
      .command('streams')
      .summary('list streams and how far they are sent')
      .description('Lists streams by name: how many events each has, and how many of them are confirmed.')
      .option('--blocked', 'only those that wait for somebody to unblock them')
      .option('--after <stream>', 'only streams whose name comes after this one')
      .addOption(limitOption())
      .option('--all', 'all of them, page after page')
      .action(perform(async () => (await import('./streams.ts')).listStreams)),
    ['cbp events streams --blocked', 'what waits for somebody'],
    ['cbp events streams --all --json', 'all of them, for a program'],
  )
  withExamples(
    events
      .command('show')
      .summary('show a stream, or a dead letter')
      .description('Shows a stream by its name, or a dead letter by its id.')
      .argument('<name>', 'the name of a stream, e.g. config-payments, or the id of a dead letter')
      .action(perform(async () => (await import('./show.ts')).showEvents)),
    ['cbp events show config-payments', 'how far a stream is sent'],
    ['cbp events show 01890000-0000-7000-8000-000000000001', 'a dead letter with its event'],
  )
  withExamples(
    events
      .command('unblock')
      .summary('let a blocked stream go on')
      .description('Lets a blocked stream go on: a serving instance tries its event again.')
      .argument('<stream>', 'the name of the stream, e.g. config-payments')
      .action(perform(async () => (await import('./streams.ts')).unblockStream)),
    ['cbp events unblock config-payments', 'after the broker was mended'],
    ['cbp events unblock config-payments --json', 'for a program'],
  )
}

function addDeadLetters(events: Command, perform: Perform): void {
  const dead = events
    .command('dead')
    .summary('list dead letters, newest first')
    .description('Lists dead letters, newest first; without --state those that wait for somebody.')
    .option('--consumer <name>', 'only those of this consumer')
    .addOption(
      option('--state <state>', 'only those in this state').choices(deadLetterStates).argParser(oneOf(deadLetterStates)).default('dead'),
    )
  for (const each of pageOptions('dead letters')) dead.addOption(each)
  withExamples(
    dead.action(perform(async () => (await import('./dead-letters.ts')).listDeadLetters)),
    ['cbp events dead --consumer webhooks', 'of one consumer'],
    ['cbp events dead --state discarded --all --json', 'all that were given up, for a program'],
  )
  withExamples(
    events
      .command('replay')
      .summary('apply dead letters once more')
      .description(
        'Applies dead letters once more, the oldest first, at most ten a second. What still cannot be applied stays. ' +
          'Exit code 1 when one of several was not applied.',
      )
      .argument('[ids...]', 'the ids of dead letters')
      .option('--all', 'all that wait for somebody')
      .option('--consumer <name>', 'with --all: only those of this consumer')
      .action(perform(async () => (await import('./replay.ts')).replayDeadLetters)),
    ['cbp events replay 01890000-0000-7000-8000-000000000001', 'one'],
    ['cbp events replay --all --consumer webhooks --json', 'all of one consumer, for a program'],
  )
  withExamples(
    events
      .command('discard')
      .summary('give a dead letter up')
      .description('Gives a dead letter up: its event will never be applied. Asks first; without a terminal it needs --yes.')
      .argument('<id>', 'the id of the dead letter')
      .requiredOption('--reason <text>', 'why; it is kept')
      .action(perform(async () => (await import('./dead-letters.ts')).discardDeadLetter)),
    ['cbp events discard 01890000-0000-7000-8000-000000000001 --reason "its payment was removed"', 'asks first'],
    ['cbp events discard 01890000-0000-7000-8000-000000000001 --reason obsolete --yes', 'in a script'],
  )
}
