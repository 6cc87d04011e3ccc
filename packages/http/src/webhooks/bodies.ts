import { type Instant, type Subscription, timestamp, type Viewer, type WebhookDelivery, type WithSecret } from '@cbp/core'

type Body = Readonly<Record<string, unknown>>

/** The wire form of a subscription; the command line prints the same. Of its secrets no more than when each ends. */
export function subscriptionBody(subscription: Subscription): Body {
  return {
    id: subscription.id,
    client: subscription.client,
    url: subscription.url,
    description: subscription.description,
    types: subscription.types,
    filter: { statuses: subscription.filter.statuses, components: subscription.filter.components },
    reach: { allClients: subscription.reach.allClients, system: subscription.reach.system },
    status: subscription.status,
    disabledBecause: subscription.disabledBecause,
    signingKeys: subscription.secrets.map(({ id, createdAt, expiresAt }) => ({
      id,
      createdAt: timestamp(createdAt),
      expiresAt: instantOrNull(expiresAt),
    })),
    version: subscription.version,
    createdAt: timestamp(subscription.createdAt),
    updatedAt: timestamp(subscription.updatedAt),
  }
}

/** What making one and rotating its secret answer: the only time that the secret is told. */
export function subscriptionWithSecretBody({ subscription, secret }: WithSecret): Body {
  const { id, ...rest } = subscriptionBody(subscription)
  return { id, secret, ...rest }
}

/** Its attempts with what the endpoint answered only for those who see everything: an answer may tell of the inside of a network. */
export function deliveryBody(delivery: WebhookDelivery, { seesAll }: Pick<Viewer, 'seesAll'>): Body {
  const { event } = delivery
  return {
    id: delivery.id,
    subscriptionId: delivery.subscriptionId,
    client: delivery.client,
    type: delivery.type,
    event: event === null ? null : { id: event.id, stream: event.stream, sequence: event.sequence },
    body: delivery.body,
    status: delivery.status,
    attempts: delivery.attempts.map(({ number, at, latencyMs, status, error, answer }) => ({
      number,
      at: timestamp(at),
      latencyMs,
      status,
      error,
      ...(seesAll ? { answer } : {}),
    })),
    dueAt: instantOrNull(delivery.dueAt),
    createdAt: timestamp(delivery.createdAt),
    endedAt: instantOrNull(delivery.endedAt),
    replayOf: delivery.replayOf,
    replayed: delivery.replayed,
  }
}

function instantOrNull(instant: Instant | null): string | null {
  return instant === null ? null : timestamp(instant)
}
