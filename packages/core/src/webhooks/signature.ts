import { err, ok, type Result } from 'neverthrow'
import type { Instant } from '../kernel/clock.ts'
import type { Mac } from '../kernel/mac.ts'
import { keyOf, type WebhookSecret } from './webhook-secret.ts'
import type { SignatureInvalid, SignedMessage } from './webhooks-service.ts'

const version = 'v1,'
const toleranceSeconds = 300
const signaturesLookedAt = 16
const signatureHeaderLimit = 4096
/**
 * Visible ASCII without a full stop: what is signed is `id.timestamp.body`, and an id with a full stop could be cut
 * elsewhere into another id and another body under the same signature.
 */
const idPattern = /^[!-\-/-~]{1,256}$/
const timestampPattern = /^\d{1,12}$/

/** One `webhook-signature` value (Standard Webhooks, symmetric). */
export function sign(mac: Mac, secret: WebhookSecret, id: string, timestampSeconds: number, body: string): string {
  return signatureOf(mac, secret, `${id}.${timestampSeconds}.${body}`)
}

/**
 * Holds a message against its signature headers; nothing of the body is parsed before.
 *
 * @returns the message's id
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function verify(
  mac: Mac,
  secrets: readonly WebhookSecret[],
  now: Instant,
  { id, timestamp, signature, body }: SignedMessage,
): Result<string, SignatureInvalid> {
  if (id === null || timestamp === null || signature === null)
    return invalid('webhook-id, webhook-timestamp or webhook-signature is missing')
  if (!idPattern.test(id)) return invalid('webhook-id is malformed')
  if (!timestampPattern.test(timestamp)) return invalid('webhook-timestamp is malformed')
  if (signature.length > signatureHeaderLimit) return invalid('webhook-signature is too long')
  // Of another version there may be any number beside ours; they say nothing here.
  const candidates = signature.split(' ').filter((each) => each.startsWith(version))
  if (candidates.length > signaturesLookedAt) return invalid('webhook-signature has too many values')
  const ageSeconds = Math.floor(now / 1000) - Number(timestamp)
  if (Math.abs(ageSeconds) > toleranceSeconds) return invalid(`webhook-timestamp is more than ${toleranceSeconds} seconds away`)
  const content = `${id}.${timestamp}.${body}`
  let matches = false
  for (const secret of secrets) {
    const expected = signatureOf(mac, secret, content)
    for (const candidate of candidates) matches = mac.equal(candidate, expected) || matches
  }
  return matches ? ok(id) : invalid('no signature fits')
}

function signatureOf(mac: Mac, secret: WebhookSecret, content: string): string {
  return `${version}${mac.hmacSha256(keyOf(secret), content)}`
}

function invalid(reason: string): Result<never, SignatureInvalid> {
  return err({ kind: 'signature-invalid', reason })
}
