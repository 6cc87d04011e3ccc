import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a webhook comes with (Standard Webhooks). */
export type SignedHeaders = Readonly<{ id: string; timestamp: string; signature: string }>

const toleranceSeconds = 300

/**
 * Checks a message as a receiver has to: HMAC-SHA256 over `id.timestamp.body`, any of several `v1,` signatures, and a
 * time that is near.
 *
 * @param secret `whsec_` and the base64 of the key
 * @returns what is wrong with it, or `null`
 */
export function signatureFault(secret: string, { id, timestamp, signature }: SignedHeaders, body: string, nowMs: number): string | null {
  if (!/^\d{1,12}$/.test(timestamp)) return 'its time is no number of seconds'
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > toleranceSeconds) return 'its time is too far from now'
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest()
  const given = signature.split(' ').flatMap((each) => (each.startsWith('v1,') ? [Buffer.from(each.slice(3), 'base64')] : []))
  if (given.length === 0) return 'it carries no v1 signature'
  return given.some((each) => each.length === expected.length && timingSafeEqual(each, expected)) ? null : 'its signature does not match'
}
