import type { ResultAsync } from 'neverthrow'

export type WebhookRequest = Readonly<{
  url: string
  headers: Readonly<Record<string, string>>
  body: string
  timeoutMs: number
}>

export type WebhookAnswer = Readonly<{
  status: number
  /** From Retry-After (RFC 9110, 10.2.3), in either of its forms. */
  retryAfterMs: number | null
  /** The beginning of the body, at most 1 KiB of text. */
  body: string
}>

/**
 * No answer: the target is forbidden, cannot be reached, is not trusted, or took too long; or, `stopped`, this instance gave
 * up because it is ending, which says nothing of the target. `reason` may be shown to the owner.
 */
export type WebhookUnanswered = Readonly<{
  kind: 'webhook-unanswered'
  cause: 'forbidden' | 'unreachable' | 'timeout' | 'stopped'
  reason: string
}>

/** The URL can never be a target here; `reason` says what is wrong with it. */
export type ForbiddenTarget = Readonly<{ kind: 'forbidden-target'; reason: string }>

/**
 * Port: one POST to an endpoint of a stranger. Redirects are not followed; every address that the name resolves to is
 * checked at the moment of connecting, and the connection goes to a checked one. Answers within `timeoutMs`.
 */
export interface WebhookTransport {
  post(request: WebhookRequest): ResultAsync<WebhookAnswer, WebhookUnanswered>
  /** What can be said of a URL without a network: scheme, user information, literal addresses. */
  check(url: string): ForbiddenTarget | null
}
