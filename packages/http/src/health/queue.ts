import type { Backlog, DeliveryBacklog, EventsService, StoreUnavailable, WebhooksService } from '@cbp/core'
import { ResultAsync } from 'neverthrow'

type Queues = Readonly<{ events: Pick<EventsService, 'backlog' | 'deadCount'>; webhooks: Pick<WebhooksService, 'backlog'> }>
type Waiting = readonly [outbox: Backlog, deadLetters: number, webhooks: DeliveryBacklog]

export function readQueues({ events, webhooks }: Queues): ResultAsync<Waiting, StoreUnavailable> {
  return ResultAsync.combine([events.backlog(), events.deadCount(), webhooks.backlog()])
}

/** What waits to be sent; a warning where it waits for an operator. Both hosts say the same of it. */
export function queueFinding([outbox, deadLetters, webhooks]: Waiting): Readonly<{ status: 'pass' | 'warn'; output: string }> {
  const { blockedStreams } = outbox
  const { disabledSubscriptions } = webhooks
  const parts = [
    blockedStreams === 0 ? null : `${counted(blockedStreams, 'stream')} ${blockedStreams === 1 ? 'is' : 'are'} blocked`,
    deadLetters === 0 ? null : `${counted(deadLetters, 'dead letter')} ${deadLetters === 1 ? 'waits' : 'wait'} for an operator`,
    `${counted(outbox.events, 'event')} and ${counted(webhooks.pending, 'webhook')} wait`,
    disabledSubscriptions === 0
      ? null
      : `${counted(disabledSubscriptions, 'subscription')} ${disabledSubscriptions === 1 ? 'is' : 'are'} disabled`,
  ]
  const status = blockedStreams + deadLetters > 0 ? 'warn' : 'pass'
  return { status, output: parts.filter((part) => part !== null).join('; ') }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
