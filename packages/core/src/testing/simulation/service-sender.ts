import type { WebhookSecret } from '../../webhooks/index.ts'

/** What the Payment Service of a world signs its webhooks with. */
export const serviceSecret: WebhookSecret = `whsec_${'S'.repeat(43)}=` as WebhookSecret
