import { err, ok, type Result } from 'neverthrow'
import type { DomainEvent, EventType } from '../events/index.ts'
import type { Instant } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Sealed } from '../kernel/key-ring.ts'
import type { PaymentStatus } from '../payments/index.ts'
import type { BeyondReach } from './webhooks-service.ts'

/** What can be subscribed to: every event, and two kinds of PAYMENT_UPDATED by names of their own. */
export type WebhookType = EventType | 'PAYMENT_COMPLETED' | 'PAYMENT_FAILED'

/** One signing secret; its plaintext is `whsec_` and base64 (Standard Webhooks), sealed under `webhook-secret:<id>`. */
export type SubscriptionSecret = Readonly<{
  id: Uuid
  sealed: Sealed
  createdAt: Instant
  /** Signs until then beside the newer ones; `null` for the current one. */
  expiresAt: Instant | null
}>

export type SubscriptionFilter = Readonly<{
  /** Payment events only with one of these statuses; `null` for any. */
  statuses: readonly PaymentStatus[] | null
  /** CONFIG_UPDATED and SYSTEM_ALERT only of these components; `null` for any. */
  components: readonly string[] | null
}>

/** What its owner was allowed when it subscribed, or last changed where its messages go and what they are. */
export type Reach = Readonly<{
  /** Payment events of every client, not only of its own. */
  allClients: boolean
  /** CONFIG_UPDATED and SYSTEM_ALERT; USER_UPDATED and PREFERENCES_UPDATED as well, for users belong to no client. */
  system: boolean
}>

export type Subscription = Readonly<{
  id: Uuid
  client: string
  url: string
  description: string | null
  /** At least one. */
  types: readonly WebhookType[]
  filter: SubscriptionFilter
  reach: Reach
  status: 'active' | 'disabled' | 'deleted'
  /** Why it is disabled: by its owner, or because its endpoint is gone or has failed for too long. */
  disabledBecause: string | null
  /** Current first. */
  secrets: readonly SubscriptionSecret[]
  version: number
  createdAt: Instant
  updatedAt: Instant
}>

/** Every type, for schemas. */
export const webhookTypes: readonly [WebhookType, ...WebhookType[]] = [
  'PAYMENT_CREATED',
  'PAYMENT_UPDATED',
  'PAYMENT_COMPLETED',
  'PAYMENT_FAILED',
  'PAYMENT_DELETED',
  'USER_UPDATED',
  'PREFERENCES_UPDATED',
  'CONFIG_UPDATED',
  'SYSTEM_ALERT',
]

/** Lengths in characters; hosts hold their input against them. */
export const subscriptionLimits: Readonly<{ url: number; description: number; perClient: number }> = {
  url: 2048,
  description: 200,
  perClient: 100,
}

const overlapMs = 24 * 3_600_000
const olderSecretsKept = 2

export function requireReach(types: readonly WebhookType[], reach: Reach): Result<void, BeyondReach> {
  const beyond = types.filter((type) => !type.startsWith('PAYMENT_') && !reach.system)
  return beyond.length === 0 ? ok() : err({ kind: 'beyond-reach', types: beyond })
}

/** The type under which a subscription hears an event, the most specific one that it names; `null`: not at all. */
export function typeHeard({ types, filter }: Subscription, { type, payload }: DomainEvent): WebhookType | null {
  if ('status' in payload && filter.statuses !== null && !filter.statuses.some((status) => status === payload.status)) return null
  if ('component' in payload && filter.components !== null && !filter.components.includes(payload.component)) return null
  const names: readonly WebhookType[] = type === 'PAYMENT_UPDATED' ? [...specificTypes(payload), type] : [type]
  return names.find((name) => types.includes(name)) ?? null
}

function specificTypes(payload: DomainEvent['payload']): readonly WebhookType[] {
  if (!('status' in payload)) return []
  if (payload.status === 'COMPLETED') return ['PAYMENT_COMPLETED']
  return payload.status === 'FAILED' ? ['PAYMENT_FAILED'] : []
}

/** The secrets that sign now, current first. */
export function signingSecrets({ secrets }: Subscription, now: Instant): readonly SubscriptionSecret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
}

/** Of more than two older ones the oldest stops signing at once, so that nobody can grow the list without bound. */
export function withNewSecret(subscription: Subscription, secret: SubscriptionSecret, now: Instant): Subscription {
  const older = signingSecrets(subscription, now).map((each) => ({ ...each, expiresAt: each.expiresAt ?? now + overlapMs }))
  return { ...subscription, secrets: [secret, ...older.slice(0, olderSecretsKept)], version: subscription.version + 1, updatedAt: now }
}

export function disabled(subscription: Subscription, because: string, now: Instant): Subscription {
  return { ...subscription, status: 'disabled', disabledBecause: because, version: subscription.version + 1, updatedAt: now }
}

/** The host of its URL: the rest may carry credentials. */
export function hostOf({ url }: Subscription): string {
  return /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/i.exec(url)?.[1] ?? ''
}
