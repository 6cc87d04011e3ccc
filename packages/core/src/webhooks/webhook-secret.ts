import type { Brand } from '../kernel/brand.ts'

/** `whsec_` and the base64 of 24 to 64 bytes (Standard Webhooks). */
export type WebhookSecret = Brand<string, 'WebhookSecret'>

const form = /^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** `null` for text that is none. */
export function parseWebhookSecret(text: string): WebhookSecret | null {
  return form.test(text) ? (text as WebhookSecret) : null
}

/** The key's bytes in base64. */
export function signingKey(secret: WebhookSecret): string {
  return secret.slice('whsec_'.length)
}
