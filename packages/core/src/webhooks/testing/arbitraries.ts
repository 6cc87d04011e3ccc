import fc from 'fast-check'
import type { Stream } from '../../events/index.ts'
import { anyInstant, anyText, anyTraceparent, anyUuid } from '../../kernel/testing/arbitraries.ts'
import type { PaymentStatus } from '../../payments/index.ts'
import type { DeliveryAttempt, DeliveryStatus, WebhookDelivery } from '../delivery.ts'
import type { Lane } from '../lane.ts'
import type { ReceivedWebhook } from '../received-webhook.ts'
import { type Subscription, type SubscriptionSecret, subscriptionLimits, type WebhookType, webhookTypes } from '../subscription.ts'

export const anyWebhookType: fc.Arbitrary<WebhookType> = fc.constantFrom(...webhookTypes)

/** Few, so that they meet. */
export const anyWebhookClient: fc.Arbitrary<string> = fc.constantFrom('https://issuer.example|shop', 'issuer|Shop', 'cli:operator')

const anySubscriptionSecret: fc.Arbitrary<SubscriptionSecret> = fc.record({
  id: anyUuid,
  sealed: fc.base64String({ minLength: 40, maxLength: 120 }),
  createdAt: anyInstant,
  expiresAt: fc.option(anyInstant),
})

export const anySubscription: fc.Arbitrary<Subscription> = fc.record({
  id: anyUuid,
  client: anyWebhookClient,
  url: fc.webUrl({ validSchemes: ['https'], withQueryParameters: true }).map((url) => url.slice(0, subscriptionLimits.url)),
  description: fc.option(anyText),
  types: fc.uniqueArray(anyWebhookType, { minLength: 1 }),
  filter: fc.record({
    statuses: fc.option(fc.uniqueArray(fc.constantFrom<PaymentStatus>('PENDING', 'COMPLETED', 'FAILED', 'REVERSED'))),
    components: fc.option(fc.uniqueArray(fc.constantFrom('payments', 'delivery'))),
  }),
  reach: fc.record({ allClients: fc.boolean(), system: fc.boolean() }),
  status: fc.constantFrom<Subscription['status']>('active', 'active', 'disabled', 'deleted'),
  disabledBecause: fc.option(anyText),
  secrets: fc.array(anySubscriptionSecret, { minLength: 1, maxLength: 3 }),
  version: fc.integer({ min: 1, max: 1_000_000 }),
  createdAt: anyInstant,
  updatedAt: anyInstant,
})

const anyAttempt: fc.Arbitrary<Omit<DeliveryAttempt, 'number'>> = fc.record({
  at: anyInstant,
  latencyMs: fc.nat(60_000),
  status: fc.option(fc.integer({ min: 100, max: 599 })),
  error: fc.option(anyText),
  answer: fc.option(anyText),
})

/** Of the subscription given; due exactly while it is pending. */
export function anyDeliveryOf({ id: subscriptionId, client }: Pick<Subscription, 'id' | 'client'>): fc.Arbitrary<WebhookDelivery> {
  return fc
    .record({
      id: anyUuid,
      type: fc.constantFrom<WebhookDelivery['type']>('TEST', ...webhookTypes),
      event: fc.option(
        fc.record({ id: anyUuid, stream: fc.constant('system' as Stream), sequence: fc.integer({ min: 1, max: 1_000_000 }) }),
      ),
      body: anyText.map((text) => JSON.stringify({ type: 'TEST', payload: { text } })),
      status: fc.constantFrom<DeliveryStatus>('pending', 'pending', 'delivered', 'exhausted', 'cancelled'),
      attempts: fc.array(anyAttempt, { maxLength: 3 }),
      at: anyInstant,
      createdAt: anyInstant,
      replayOf: fc.option(anyUuid),
      replayed: fc.boolean(),
      traceparent: fc.option(anyTraceparent),
    })
    .map(({ at, attempts, ...rest }) => ({
      ...rest,
      subscriptionId,
      client,
      attempts: attempts.map((attempt, index) => ({ number: index + 1, ...attempt })),
      dueAt: rest.status === 'pending' ? at : null,
      endedAt: rest.status === 'pending' ? null : at,
    }))
}

export function anyLaneOf({ id: subscriptionId }: Pick<Subscription, 'id'>): fc.Arbitrary<Lane> {
  return fc.record({
    subscriptionId: fc.constant(subscriptionId),
    dueAt: fc.option(anyInstant),
    fence: fc.nat(1_000_000),
    leasedUntil: fc.option(anyInstant),
    failures: fc.nat(1000),
    failingSince: fc.option(anyInstant),
    pausedUntil: fc.option(anyInstant),
  })
}

export const anyReceivedWebhook: fc.Arbitrary<ReceivedWebhook> = fc.record({
  id: fc.stringMatching(/^[!-\-/-~]{1,256}$/),
  receivedAt: anyInstant,
  expiresAt: anyInstant,
})
