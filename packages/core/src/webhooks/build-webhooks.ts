import type { AuditService } from '../audit/index.ts'
import type { ReadTunable } from '../config/index.ts'
import { survivingStore } from '../kernel/survive-defects.ts'
import { unitOfWork } from '../kernel/unit-of-work.ts'
import type { ApplyReport } from '../payments/index.ts'
import type { Ports } from '../ports.ts'
import type { Transaction } from '../transaction.ts'
import { amendSubscription, unsubscribe } from './amend-subscription.ts'
import { type DispatcherLimits, dispatcher } from './dispatcher.ts'
import { readWebhooks } from './read-webhooks.ts'
import { receivePaymentStatus } from './receive-payment-status.ts'
import { rotateSecret } from './rotate-secret.ts'
import { replayDelivery, sendTest } from './send-again.ts'
import { subscribe } from './subscribe.ts'
import { newTally } from './webhook-counts.ts'
import type { WebhooksService } from './webhooks-service.ts'

export type WebhookPorts = Pick<
  Ports,
  | 'webhookStore'
  | 'webhookTransport'
  | 'transactions'
  | 'mac'
  | 'keyRing'
  | 'secretSource'
  | 'inboundSecrets'
  | 'clock'
  | 'ids'
  | 'random'
  | 'signals'
  | 'log'
>

export type WebhookDependencies = WebhookPorts &
  Readonly<{ tunable: ReadTunable; applyReport: ApplyReport; audit: Pick<AuditService, 'openTrail'> }>

export function webhooksService(deps: WebhookDependencies, limits: DispatcherLimits): WebhooksService {
  const { webhookStore: store, webhookTransport: transport, transactions, clock, ids, random, signals, log } = deps
  const tally = newTally()
  const writing = { ...deps, store, transport, tally, unitOfWork: unitOfWork<Transaction>({ transactions, ids, clock, random, signals }) }
  // A defect of the store must not end the background loop for good; to a caller it is told as it is.
  const surviving = unitOfWork<Transaction>({ transactions: survivingStore(log, transactions), ids, clock, random, signals })
  return {
    ...readWebhooks(store),
    subscribe: subscribe(writing),
    amend: amendSubscription(writing),
    unsubscribe: unsubscribe(writing),
    rotateSecret: rotateSecret(writing),
    sendTest: sendTest(writing),
    replay: replayDelivery(writing),
    receivePaymentStatus: receivePaymentStatus(writing),
    backlog: () => store.backlog(),
    overdueSince: () => store.dueLanes(clock.now(), 1).map(([lane]) => lane?.dueAt ?? null),
    counts: () => ({ ...tally }),
    dispatch: dispatcher({ ...writing, unitOfWork: surviving, limits }),
  }
}
