import type { Instant } from '../kernel/clock.ts'

/** The id of an inbound webhook whose effect is committed. */
export type ReceivedWebhook = Readonly<{ id: string; receivedAt: Instant; expiresAt: Instant }>
