import type { Command, Option } from 'commander'
import { withExamples } from '../program/examples.ts'
import { minorUnits, oneOf, option, pageOptions, pair, seconds, wholeNumber } from '../program/options.ts'
import type { Perform } from '../program/perform.ts'
import { paymentStatuses } from './statuses.ts'

const idArgument = ['<id>', 'the id of the payment'] as const

export function addPaymentCommands(program: Command, perform: Perform): void {
  const payment = withExamples(
    program
      .command('payment')
      .summary('make, process and examine payments')
      .description(
        'Makes, processes and examines payments. Amounts are given in the minor unit of the currency: 1250 is EUR 12.50. ' +
          'An operator sees the payments of every client; with a token in CBP_TOKEN the command acts as its client.',
      ),
    ['cbp payment list --status PENDING', 'what waits to be processed'],
    ['cbp payment show 01890000-0000-7000-8000-000000000001', 'one payment with its history'],
  )
  addCreate(payment, perform)
  addReads(payment, perform)
  addProcess(payment, perform)
  addChanges(payment, perform)
}

function addCreate(payment: Command, perform: Perform): void {
  withExamples(
    payment
      .command('create')
      .summary('make a payment')
      .description(
        'Makes a payment; nothing is paid before it is processed. The idempotency key makes it safe to repeat the command: ' +
          'the same key and the same payment answer the same. Without one a key is made and told on stderr.',
      )
      .addOption(amountOption().makeOptionMandatory())
      .addOption(currencyOption().makeOptionMandatory())
      .requiredOption('--payee-id <id>', 'who is paid')
      .requiredOption('--payee-name <name>', 'the name of who is paid')
      .requiredOption('--user <id>', 'the user who pays')
      .option('--reference <text>', "the client's own name for the payment, never used twice")
      .addOption(metadataOption())
      .addOption(keyOption())
      .action(perform(async () => (await import('./create.ts')).createPayment)),
    [
      'cbp payment create --amount 1250 --currency EUR --payee-id power-co --payee-name "Power Company" --user user-1',
      'EUR 12.50 to the power company',
    ],
    [
      'cbp payment create --amount 500 --currency JPY --payee-id p1 --payee-name Tokyo --user u1 --reference bill-77 --idempotency-key bill-77 --json',
      'safe to repeat, for a program',
    ],
    [
      'cbp payment create --amount 900 --currency USD --payee-id p1 --payee-name Water --user u1 --metadata sandbox=fails --metadata order=7',
      'in development: one that the sandbox lets fail',
    ],
  )
}

function addReads(payment: Command, perform: Perform): void {
  const list = payment
    .command('list')
    .summary('list payments, newest first')
    .description('Lists payments, newest first.')
    .addOption(option('--status <status>', 'only those in this state').choices(paymentStatuses).argParser(oneOf(paymentStatuses)))
    .option('--user <id>', 'only those of this user')
    .option('--from <instant>', 'created at or after, e.g. 2026-01-31T12:00:00Z')
    .option('--to <instant>', 'created before')
  for (const each of pageOptions('payments')) list.addOption(each)
  withExamples(
    list.action(perform(async () => (await import('./list.ts')).listPayments)),
    ['cbp payment list --limit 5', 'the last five'],
    ['cbp payment list --status FAILED --from 2026-01-01T00:00:00Z --all --json', 'all that failed this year, for a program'],
  )
  withExamples(
    payment
      .command('show')
      .summary('show a payment with its history')
      .description('Shows a payment with its history.')
      .argument(...idArgument)
      .action(perform(async () => (await import('./show.ts')).showPayment)),
    ['cbp payment show 01890000-0000-7000-8000-000000000001', 'for people'],
    ['cbp payment show 01890000-0000-7000-8000-000000000001 --json', 'for a program, with "history"'],
  )
  withExamples(
    payment
      .command('history')
      .summary('show what happened to a payment')
      .description('Shows what happened to a payment: every transition, with who and what made it, and reports that changed nothing.')
      .argument(...idArgument)
      .action(perform(async () => (await import('./show.ts')).showPaymentHistory)),
    ['cbp payment history 01890000-0000-7000-8000-000000000001', 'who did what, and when'],
    ['cbp payment history 01890000-0000-7000-8000-000000000001 --json', 'for a program'],
  )
  withExamples(
    payment
      .command('verify')
      .summary('compare a payment with what the Payment Service holds')
      .description(
        'Compares a payment with what the Payment Service holds of it, right now. Exit code 1 when they differ. Changes nothing.',
      )
      .argument(...idArgument)
      .action(perform(async () => (await import('./verify.ts')).verifyPayment)),
    ['cbp payment verify 01890000-0000-7000-8000-000000000001', 'whether both agree'],
    ['cbp payment verify 01890000-0000-7000-8000-000000000001 --json', 'for a program, with every discrepancy'],
  )
}

function addProcess(payment: Command, perform: Perform): void {
  withExamples(
    payment
      .command('process')
      .summary('have a payment carried out')
      .description(
        'Instructs the Payment Service, at most once for each payment. The end comes by its webhook to a serving instance: ' +
          '--wait stays until then. Exit code 1 when the payment fails.',
      )
      .argument(...idArgument)
      .addOption(keyOption())
      .option('--wait', 'stay until the payment has ended')
      .addOption(option('--timeout <time>', 'how long --wait stays, e.g. 90s or 5m').argParser(seconds).default(60, '60s'))
      .action(perform(async () => (await import('./process.ts')).processPayment)),
    ['cbp payment process 01890000-0000-7000-8000-000000000001 --wait', 'and see how it ends'],
    ['cbp payment process 01890000-0000-7000-8000-000000000001 --idempotency-key run-7 --json', 'safe to repeat, for a program'],
  )
}

function addChanges(payment: Command, perform: Perform): void {
  withExamples(
    payment
      .command('amend')
      .summary('change a payment that is still PENDING')
      .description('Changes a payment that is still PENDING. What is not named stays; --metadata replaces all of it.')
      .argument(...idArgument)
      .addOption(amountOption())
      .addOption(currencyOption())
      .option('--payee-id <id>', 'who is paid')
      .option('--payee-name <name>', 'the name of who is paid')
      .addOption(metadataOption())
      .addOption(versionOption())
      .action(perform(async () => (await import('./amend.ts')).amendPayment)),
    ['cbp payment amend 01890000-0000-7000-8000-000000000001 --amount 1300', 'another amount'],
    ['cbp payment amend 01890000-0000-7000-8000-000000000001 --payee-name "Power Co" --if-version 2', 'only if nobody changed it since'],
  )
  withExamples(
    payment
      .command('cancel')
      .summary('cancel a payment that is still PENDING')
      .description('Cancels a payment that is still PENDING. It stays listed. Asks first; without a terminal it needs --yes.')
      .argument(...idArgument)
      .option('--reason <text>', 'why; the history keeps it')
      .addOption(versionOption())
      .action(perform(async () => (await import('./cancel.ts')).cancelPayment)),
    ['cbp payment cancel 01890000-0000-7000-8000-000000000001 --reason "paid by card"', 'asks first'],
    ['cbp payment cancel 01890000-0000-7000-8000-000000000001 --yes --json', 'in a script'],
  )
}

function amountOption(): Option {
  return option('--amount <minor-units>', 'in the minor unit of the currency: 1250 is EUR 12.50').argParser(minorUnits)
}

function currencyOption(): Option {
  return option('--currency <code>', 'ISO 4217, e.g. EUR').argParser((text: string) => text.toUpperCase())
}

function metadataOption(): Option {
  return option('--metadata <name=value>', 'kept with the payment; may be given several times').argParser(pair)
}

function keyOption(): Option {
  return option('--idempotency-key <key>', 'one of your own for this request, the same in every repetition')
}

function versionOption(): Option {
  return option('--if-version <version>', 'only if this is still its version').argParser(wholeNumber(1))
}
