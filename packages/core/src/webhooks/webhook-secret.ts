import type { Brand } from '../kernel/brand.ts'

/** `whsec_` and the base64 of 24 to 64 bytes (Standard Webhooks). */
export type WebhookSecret = Brand<string, 'WebhookSecret'>
