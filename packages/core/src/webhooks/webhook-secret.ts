import { err, ok, type Result } from 'neverthrow'
import type { Brand } from '../kernel/brand.ts'
import type { KeyRing, Sealed } from '../kernel/key-ring.ts'
import type { SecretSource } from '../kernel/secret-source.ts'

/** `whsec_` and the base64 of 24 to 64 bytes (Standard Webhooks). */
export type WebhookSecret = Brand<string, 'WebhookSecret'>

/** `reason` never carries the secret. */
export type InvalidWebhookSecret = Readonly<{ kind: 'invalid-webhook-secret'; reason: string }>

const prefix = 'whsec_'
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const fewestBytes = 24
const mostBytes = 64
const bytesMade = 32

export function parseWebhookSecret(text: string): Result<WebhookSecret, InvalidWebhookSecret> {
  if (!text.startsWith(prefix)) return invalid(`must begin with ${prefix}`)
  const key = keyOf(text as WebhookSecret)
  if (!base64.test(key)) return invalid(`must be base64 with its padding after ${prefix}`)
  const bytes = (key.length / 4) * 3 - (key.length - key.replaceAll('=', '').length)
  if (bytes < fewestBytes || bytes > mostBytes) return invalid(`must hold ${fewestBytes} to ${mostBytes} bytes, not ${bytes}`)
  return ok(text as WebhookSecret)
}

export function newWebhookSecret(source: SecretSource): WebhookSecret {
  return `${prefix}${source.base64(bytesMade)}` as WebhookSecret
}

/** The key's bytes in base64. */
export function keyOf(secret: WebhookSecret): string {
  return secret.slice(prefix.length)
}

export function sealSecret(keyRing: KeyRing, id: string, secret: WebhookSecret): Sealed {
  return keyRing.seal(secret, sealContext(id))
}

/** What a sealed secret is bound to, so that it opens in no other row. */
export function sealContext(secretId: string): string {
  return `webhook-secret:${secretId}`
}

function invalid(reason: string): Result<never, InvalidWebhookSecret> {
  return err({ kind: 'invalid-webhook-secret', reason })
}
