import {
  type Component,
  componentPattern,
  type DeliveryStatus,
  type SubscriptionDetails,
  subscriptionLimits,
  type WebhookType,
  webhookTypes,
} from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { paymentStatus, paymentStatuses } from '../payments/schemas.ts'
import { pageOf } from '../server/parameters.ts'

const deliveryStatuses: readonly DeliveryStatus[] = ['pending', 'delivered', 'exhausted', 'cancelled']

export const deliveryStatus: z.ZodType<DeliveryStatus, DeliveryStatus> = z.enum(deliveryStatuses).openapi('WebhookDeliveryStatus')

const webhookType: z.ZodType<WebhookType, WebhookType> = z.enum(webhookTypes).openapi('WebhookType', {
  description:
    'A transition goes out once, as the most specific type subscribed: PAYMENT_COMPLETED or PAYMENT_FAILED, else PAYMENT_UPDATED',
})

function listOf<T extends z.ZodType<string, string>>(item: T, max: number): z.ZodType<z.output<T>[], z.output<T>[]> {
  return z
    .array(item)
    .min(1)
    .max(max)
    .refine((items) => new Set(items).size === items.length, { message: 'An item is named twice.', params: { code: 'repeated' } })
    .openapi({ uniqueItems: true }) as unknown as z.ZodType<z.output<T>[], z.output<T>[]>
}

const types = listOf(webhookType, webhookTypes.length)
const statuses = listOf(paymentStatus, paymentStatuses.length)
  .nullable()
  .openapi({ description: 'Payment events only with one of these statuses; null for any' })
const components = listOf(z.string().regex(componentPattern) as unknown as z.ZodType<Component, Component>, 50)
  .nullable()
  .openapi({ description: 'CONFIG_UPDATED and SYSTEM_ALERT only of these components; null for any' })
const url = z
  .string()
  .min(1)
  .max(subscriptionLimits.url)
  .openapi({ format: 'uri', description: 'https, a public name, no user information', example: 'https://example.com/hooks/payments' })
const description = z
  .string()
  .max(subscriptionLimits.description)
  .refine((text) => text.isWellFormed() && /^\P{Cc}*$/u.test(text), {
    message: 'The text has characters that cannot be shown.',
    params: { code: 'control-character' },
  })
  .nullable()
const instant = z.iso.datetime()

const subscriptionMembers = {
  id: z.uuid(),
  client: z.string().openapi({ description: 'Whose it is' }),
  url,
  description,
  types,
  filter: z.strictObject({ statuses, components }),
  reach: z.strictObject({ allClients: z.boolean(), system: z.boolean() }).openapi({
    description: 'What its owner was allowed to hear: payments of every client; events that are not of payments',
  }),
  status: z.enum(['active', 'disabled', 'deleted']),
  disabledBecause: z.string().nullable(),
  signingKeys: z
    .array(z.strictObject({ id: z.uuid(), createdAt: instant, expiresAt: instant.nullable() }))
    .openapi({ description: 'Current first; older ones sign beside it until they expire. Never the secrets themselves' }),
  version: z.int().min(1),
  createdAt: instant,
  updatedAt: instant,
}

const subscription: z.ZodType = z.strictObject(subscriptionMembers).openapi('WebhookSubscription')

const delivery: z.ZodType = z
  .strictObject({
    id: z.uuid().openapi({ description: 'The webhook-id of every attempt' }),
    subscriptionId: z.uuid(),
    client: z.string(),
    type: z.union([webhookType, z.literal('TEST')]),
    event: z.strictObject({ id: z.uuid(), stream: z.string(), sequence: z.int() }).nullable(),
    body: z.string().openapi({ description: 'Exactly what is signed and sent' }),
    status: deliveryStatus,
    attempts: z.array(
      z.strictObject({
        number: z.int().min(1),
        at: instant,
        latencyMs: z.number(),
        status: z.int().nullable(),
        error: z.string().nullable().openapi({ description: 'Why there was no answer' }),
        answer: z.string().nullable().optional().openapi({ description: 'How the answer began; only with `clients:all`' }),
      }),
    ),
    dueAt: instant.nullable().openapi({ description: 'When it is tried next' }),
    createdAt: instant,
    endedAt: instant.nullable(),
    replayOf: z.uuid().nullable(),
    replayed: z.boolean(),
  })
  .openapi('WebhookDelivery')

type SubscribeBody = Readonly<{
  url: string
  description?: string | null | undefined
  types: SubscriptionDetails['types']
  filter?: Partial<FilterPatch> | undefined
}>

type FilterPatch = { [Name in keyof SubscriptionDetails['filter']]: SubscriptionDetails['filter'][Name] | undefined }

/** A merge patch (RFC 7396). */
export type SubscriptionPatch = Readonly<{
  url?: string | undefined
  description?: string | null | undefined
  types?: SubscriptionDetails['types'] | undefined
  filter?: Partial<FilterPatch> | null | undefined
  active?: boolean | undefined
}>

const filter = z.strictObject({ statuses: statuses.optional(), components: components.optional() })

/** The bodies of the webhook endpoints. */
export const bodies: Readonly<{
  subscribe: z.ZodType<SubscribeBody>
  patch: z.ZodType<SubscriptionPatch>
  subscription: z.ZodType
  subscriptions: z.ZodType
  withSecret: z.ZodType
  delivery: z.ZodType
  deliveries: z.ZodType
  report: z.ZodType
  received: z.ZodType
}> = {
  subscribe: z.strictObject({ url, description: description.optional(), types, filter: filter.optional() }).openapi('CreateSubscription'),
  patch: z
    .strictObject({
      url: url.optional(),
      description: description.optional(),
      types: types.optional(),
      filter: filter.nullish(),
      active: z.boolean().optional().openapi({ description: 'true enables again what was disabled' }),
    })
    .openapi('AmendSubscription'),
  subscription,
  subscriptions: pageOf(subscription).openapi('WebhookSubscriptionList'),
  withSecret: z
    .strictObject({
      ...subscriptionMembers,
      secret: z.string().openapi({ description: 'Told this once: `whsec_` and base64 (Standard Webhooks)', example: 'whsec_…' }),
    })
    .openapi('WebhookSubscriptionWithSecret'),
  delivery,
  deliveries: pageOf(delivery).openapi('WebhookDeliveryList'),
  report: z
    .looseObject({
      paymentId: z.uuid(),
      status: z.enum(['PROCESSING', 'COMPLETED', 'FAILED', 'REVERSED']),
      occurredAt: z.iso.datetime({ offset: true }),
      reference: z.string().max(200).nullish().openapi({ description: "The Payment Service's own name for the payment" }),
      reason: z.string().max(1000).nullish().openapi({ description: 'Why it failed' }),
    })
    .openapi('PaymentStatusReport', { description: 'Members that are not named here are ignored' }),
  received: z
    .strictObject({
      id: z.string().openapi({ description: 'The webhook-id' }),
      outcome: z.enum(['effect', 'recorded', 'duplicate']).openapi({
        description: 'effect: it changed the payment; recorded: it came late, or is impossible; duplicate: its id was seen before',
      }),
    })
    .openapi('WebhookReceived'),
}
