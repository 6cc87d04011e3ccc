import type { Command } from 'commander'
import { paymentStatuses } from '../payments/statuses.ts'
import { withExamples } from '../program/examples.ts'
import { oneOf, option, pageOptions, someOf, wholeNumber } from '../program/options.ts'
import type { Perform } from '../program/perform.ts'
import { deliveryStatuses, webhookTypes } from './types.ts'

const idArgument = ['<id>', 'the id of the subscription'] as const

export function addWebhookCommands(program: Command, perform: Perform): void {
  const webhook = withExamples(
    program
      .command('webhook')
      .summary('subscriptions to webhooks, and what was sent')
      .description(
        'Subscriptions to webhooks, and what was sent. These commands record what is to be sent; the serving instances ' +
          '(cbp serve) send it. An operator sees the subscriptions of every client; with a token in CBP_TOKEN the command acts as its client.',
      ),
    ['cbp webhook add --url https://billing.example/hooks', 'hear of all payments'],
    ['cbp webhook deliveries --status exhausted', 'what never arrived'],
  )
  addSubscribing(webhook, perform)
  addReads(webhook, perform)
  addChanges(webhook, perform)
  addDeliveries(webhook, perform)
}

function addSubscribing(webhook: Command, perform: Perform): void {
  withExamples(
    details(
      webhook
        .command('add')
        .summary('subscribe an endpoint')
        .description(
          'Subscribes an endpoint; without --types to everything about payments. Prints the signing secret (Standard ' +
            'Webhooks), this once: it is not shown again.',
        )
        .requiredOption('--url <url>', 'where to send; https, but in development also http and loopback'),
    ).action(perform(async () => (await import('./subscribe.ts')).addSubscription)),
    ['cbp webhook add --url https://billing.example/hooks --types PAYMENT_COMPLETED,PAYMENT_FAILED', 'only how payments end'],
    [
      'cbp webhook add --url https://ops.example/hooks --types CONFIG_UPDATED SYSTEM_ALERT --component payments --description "ops desk"',
      'only the system events of one component',
    ],
    ['cbp webhook add --url https://billing.example/hooks --status COMPLETED --json', 'for a program, with "secret"'],
  )
  withExamples(
    details(
      webhook
        .command('amend')
        .summary('change a subscription')
        .description('Changes a subscription. What is not named stays.')
        .argument(...idArgument)
        .option('--url <url>', 'where to send')
        .addOption(option('--if-version <version>', 'only if this is still its version').argParser(wholeNumber(1))),
    ).action(perform(async () => (await import('./subscribe.ts')).amendSubscription)),
    ['cbp webhook amend 01890000-0000-7000-8000-000000000001 --types PAYMENT_COMPLETED', 'other types'],
    [
      'cbp webhook amend 01890000-0000-7000-8000-000000000001 --url https://new.example/hooks --if-version 2',
      'only if nobody changed it since',
    ],
  )
}

/** What is sent where. */
function details(command: Command): Command {
  return command
    .addOption(
      option('--types <type...>', 'what to send; several apart by blanks or commas').choices(webhookTypes).argParser(someOf(webhookTypes)),
    )
    .addOption(
      option('--status <status...>', 'payment events only with one of these statuses')
        .choices(paymentStatuses)
        .argParser(someOf(paymentStatuses)),
    )
    .option('--component <component...>', 'CONFIG_UPDATED and SYSTEM_ALERT only of these components')
    .option('--description <text>', 'what it is for, in words')
}

function addReads(webhook: Command, perform: Perform): void {
  const list = webhook.command('list').summary('list subscriptions, newest first').description('Lists subscriptions, newest first.')
  for (const each of pageOptions('subscriptions')) list.addOption(each)
  withExamples(
    list.action(perform(async () => (await import('./subscriptions.ts')).listSubscriptions)),
    ['cbp webhook list', 'who hears what'],
    ['cbp webhook list --all --json', 'all of them, for a program'],
  )
  withExamples(
    webhook
      .command('show')
      .summary('show a subscription')
      .description('Shows a subscription. Of its secrets it tells no more than when each ends.')
      .argument(...idArgument)
      .action(perform(async () => (await import('./subscriptions.ts')).showSubscription)),
    ['cbp webhook show 01890000-0000-7000-8000-000000000001', 'for people'],
    ['cbp webhook show 01890000-0000-7000-8000-000000000001 --json', 'for a program'],
  )
}

function addChanges(webhook: Command, perform: Perform): void {
  withExamples(
    webhook
      .command('rotate')
      .summary('give a subscription a new secret')
      .description('Gives a subscription a new signing secret and prints it, this once. The one before signs beside it for 24 hours.')
      .argument(...idArgument)
      .action(perform(async () => (await import('./subscribe.ts')).rotateSecret)),
    ['cbp webhook rotate 01890000-0000-7000-8000-000000000001', 'install the new one within 24 hours'],
    ['cbp webhook rotate 01890000-0000-7000-8000-000000000001 --json', 'for a program, with "secret"'],
  )
  withExamples(
    webhook
      .command('test')
      .summary('send a test message')
      .description('Queues one message of type TEST. A serving instance sends it; see how it went with: cbp webhook deliveries <id>')
      .argument(...idArgument)
      .action(perform(async () => (await import('./deliveries.ts')).sendTest)),
    ['cbp webhook test 01890000-0000-7000-8000-000000000001', 'whether the endpoint listens'],
    ['cbp webhook test 01890000-0000-7000-8000-000000000001 --json', 'for a program, with the id of the delivery'],
  )
  withExamples(
    webhook
      .command('enable')
      .summary('send again to a subscription that was disabled')
      .description('Sends again to a subscription that was disabled, by its owner or because its endpoint had failed for too long.')
      .argument(...idArgument)
      .action(perform(async () => (await import('./subscribe.ts')).enableSubscription)),
    ['cbp webhook enable 01890000-0000-7000-8000-000000000001', 'after the endpoint was mended'],
    ['cbp webhook enable 01890000-0000-7000-8000-000000000001 --json', 'for a program'],
  )
  withExamples(
    webhook
      .command('disable')
      .summary('send nothing to a subscription for now')
      .description('Sends nothing to a subscription until it is enabled again.')
      .argument(...idArgument)
      .action(perform(async () => (await import('./subscribe.ts')).disableSubscription)),
    ['cbp webhook disable 01890000-0000-7000-8000-000000000001', 'while the endpoint is mended'],
    ['cbp webhook disable 01890000-0000-7000-8000-000000000001 --json', 'for a program'],
  )
  withExamples(
    webhook
      .command('remove')
      .summary('remove a subscription')
      .description('Removes a subscription and cancels what is still to be sent to it. Asks first; without a terminal it needs --yes.')
      .argument(...idArgument)
      .action(perform(async () => (await import('./subscriptions.ts')).removeSubscription)),
    ['cbp webhook remove 01890000-0000-7000-8000-000000000001', 'asks first'],
    ['cbp webhook remove 01890000-0000-7000-8000-000000000001 --yes', 'in a script'],
  )
}

function addDeliveries(webhook: Command, perform: Perform): void {
  const deliveries = webhook
    .command('deliveries')
    .summary('list what was sent and how it went, or one message')
    .description('Lists messages, newest first, with how they went; or, given the id of one, shows its attempts.')
    .argument('[id]', 'the id of one delivery')
    .option('--subscription <id>', 'only those to this subscription')
    .addOption(option('--status <status>', 'only those in this state').choices(deliveryStatuses).argParser(oneOf(deliveryStatuses)))
  for (const each of pageOptions('deliveries')) deliveries.addOption(each)
  withExamples(
    deliveries.action(perform(async () => (await import('./deliveries.ts')).listDeliveries)),
    ['cbp webhook deliveries --status exhausted', 'what never arrived'],
    ['cbp webhook deliveries 01890000-0000-7000-8000-000000000001', 'every attempt of one'],
    ['cbp webhook deliveries --subscription 01890000-0000-7000-8000-000000000001 --all --json', 'all to one endpoint, for a program'],
  )
  withExamples(
    webhook
      .command('replay')
      .summary('send a message again')
      .description('Queues a message that has ended once more, with an id of its own. A serving instance sends it.')
      .argument('<id>', 'the id of the delivery')
      .action(perform(async () => (await import('./deliveries.ts')).replayDelivery)),
    ['cbp webhook replay 01890000-0000-7000-8000-000000000001', 'after the endpoint was mended'],
    ['cbp webhook replay 01890000-0000-7000-8000-000000000001 --json', 'for a program, with the id of the new delivery'],
  )
}
