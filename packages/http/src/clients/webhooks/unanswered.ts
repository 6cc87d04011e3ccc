import type { WebhookUnanswered } from '@cbp/core'
import { forbiddenAddressCode, unresolvedNameCode } from './checked-lookup.ts'

/**
 * What a failed call is called towards the subscription's owner. Messages of errors are never passed on: they name
 * addresses, and the owner knows only the name.
 */
export function unansweredBy(error: unknown): WebhookUnanswered {
  const { code } = error as { code?: unknown }
  if (typeof code !== 'string') return unanswered('unreachable', 'The connection failed')
  if (code === forbiddenAddressCode) return unanswered('forbidden', 'The host name resolves to a forbidden address')
  if (code === unresolvedNameCode) return unanswered('unreachable', 'The host name cannot be resolved')
  if (code === 'ETIMEDOUT') return unanswered('timeout', 'No connection came about in time')
  if (code === 'HPE_HEADER_OVERFLOW') return unanswered('unreachable', 'The header fields of the answer are too large')
  if (code.startsWith('HPE_')) return unanswered('unreachable', 'The answer is not HTTP/1.1')
  if (isOfTls(code)) return unanswered('unreachable', `TLS failed (${code})`)
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return unanswered('unreachable', 'The connection was closed before the answer was complete')
  }
  return unanswered('unreachable', `The connection failed (${code})`)
}

/** Codes of OpenSSL's verification have no prefix of their own (`openssl verify`, "Diagnostics"). */
function isOfTls(code: string): boolean {
  return code === 'EPROTO' || /CERT|SSL|TLS|ISSUER|SIGNATURE|CRL|^INVALID_(CA|PURPOSE)$|^HOSTNAME_MISMATCH$/.test(code)
}

export function unanswered(cause: WebhookUnanswered['cause'], reason: string): WebhookUnanswered {
  return { kind: 'webhook-unanswered', cause, reason }
}
