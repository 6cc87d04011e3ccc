import type { Payment } from '@cbp/core'
import { versionTag } from '../server/version-tags.ts'
import { paymentBody } from './bodies.ts'

/** An answer as it is kept with its Idempotency-Key: all of it that a repetition has to get again. */
export type KeptAnswer = Readonly<{ status: number; location: string | null; etag: string; body: string }>

/** One line each for status, Location and ETag, then the body: in text that is stored with every request each byte counts. */
function keepAnswer({ status, location, etag, body }: KeptAnswer): string {
  return `${status}\n${location ?? ''}\n${etag}\n${body}`
}

export function readKeptAnswer(text: string): KeptAnswer {
  const first = text.indexOf('\n')
  const second = text.indexOf('\n', first + 1)
  const third = text.indexOf('\n', second + 1)
  const location = text.slice(first + 1, second)
  return {
    status: Number(text.slice(0, first)),
    location: location === '' ? null : location,
    etag: text.slice(second + 1, third),
    body: text.slice(third + 1),
  }
}

export function createdAnswer(payment: Payment): string {
  return keepAnswer({
    status: 201,
    location: `/payments/${payment.id}`,
    etag: versionTag(payment.version),
    body: JSON.stringify(paymentBody(payment)),
  })
}

/** 202 and where to look while the end is open, 200 once it is known. */
export function processedAnswer(payment: Payment): string {
  const isOpen = payment.status === 'PROCESSING' || payment.status === 'UNKNOWN'
  return keepAnswer({
    status: isOpen ? 202 : 200,
    location: isOpen ? `/payments/${payment.id}/status` : null,
    etag: versionTag(payment.version),
    body: JSON.stringify(paymentBody(payment)),
  })
}
