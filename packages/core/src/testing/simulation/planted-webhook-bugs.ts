import { okAsync } from 'neverthrow'
import type { Transaction } from '../../transaction.ts'
import type { WebhookDelivery } from '../../webhooks/index.ts'
import { changingUnits } from './mutant-units.ts'
import type { Mutant } from './mutants.ts'

/** In what is sent to subscribers. */
export const plantedWebhookBugs: readonly Mutant[] = [
  {
    name: 'gives each try of a webhook an id of its own',
    law: 'L17',
    webhookTransport: (transport) => {
      let posts = 0
      return {
        ...transport,
        post: (request) => {
          posts += 1
          return transport.post({ ...request, headers: { ...request.headers, 'webhook-id': `${request.headers['webhook-id']}-${posts}` } })
        },
      }
    },
  },
  {
    name: 'counts a webhook as delivered before it is sent',
    law: 'L17',
    webhookTransport: (transport) => ({
      ...transport,
      post: (request) => {
        void transport.post(request)
        return okAsync({ status: 204, retryAfterMs: null, body: '' })
      },
    }),
  },
  {
    name: 'takes any answer for a success',
    law: 'L17',
    webhookTransport: (transport) => ({
      ...transport,
      post: (request) => transport.post(request).map((answer) => ({ ...answer, status: 200 })),
    }),
  },
  {
    name: 'sends other words than it signed',
    law: 'L17',
    webhookTransport: (transport) => ({
      ...transport,
      post: (request) => transport.post({ ...request, body: JSON.stringify(JSON.parse(request.body), null, 1) }),
    }),
  },
  {
    name: 'gives up a webhook after its first failure',
    law: 'L17',
    host: (ports) => changingUnits(ports, (tx) => updating(tx, givenUp)),
  },
  {
    name: 'forgets the retries of a lane that it gives back',
    law: 'L17',
    host: (ports) => changingUnits(ports, (tx) => ({ ...tx, nextDue: () => okAsync(null), pendingDeliveries: () => okAsync([]) })),
  },
  {
    name: 'cancels webhooks of an active subscription when its endpoint fails',
    law: 'L17',
    host: (ports) => changingUnits(ports, (tx) => updating(tx, cancelled)),
  },
]

function updating(tx: Transaction, change: (delivery: WebhookDelivery) => WebhookDelivery): Transaction {
  return { ...tx, deliveries: { ...tx.deliveries, update: (row) => tx.deliveries.update(change(row)) } }
}

function givenUp(delivery: WebhookDelivery): WebhookDelivery {
  const { status, attempts, dueAt } = delivery
  return status === 'pending' && attempts.length > 0 ? { ...delivery, status: 'exhausted', dueAt: null, endedAt: dueAt } : delivery
}

function cancelled(delivery: WebhookDelivery): WebhookDelivery {
  const { status, attempts, dueAt } = delivery
  return status === 'pending' && attempts.length > 0 ? { ...delivery, status: 'cancelled', dueAt: null, endedAt: dueAt } : delivery
}
