import type { EventType } from '../events/index.ts'
import type { Instant } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Sealed } from '../kernel/key-ring.ts'
import type { PaymentStatus } from '../payments/index.ts'

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

/** What its owner was allowed when it subscribed. */
export type Reach = Readonly<{
  /** Payment events of every client, not only of its own. */
  allClients: boolean
  /** CONFIG_UPDATED and SYSTEM_ALERT. */
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
