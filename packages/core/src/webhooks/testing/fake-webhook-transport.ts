import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock, Instant } from '../../kernel/clock.ts'
import type { WebhookAnswer, WebhookRequest, WebhookTransport, WebhookUnanswered } from '../ports/webhook-transport.ts'

/**
 * How an endpoint takes one post: with a status, perhaps late; `hang`: it takes it and stays silent; `drop`: it never sees
 * it; `lie`: it takes it and answers 500 all the same.
 */
export type EndpointAnswer =
  | number
  | Readonly<{ status: number; retryAfterMs?: number; body?: string; afterMs?: number }>
  | 'hang'
  | 'drop'
  | 'lie'
  | 'forbidden'

/** Every post that reached an endpoint, in the order of arrival. */
export type ArrivedPost = WebhookRequest & Readonly<{ at: Instant }>

export type EndpointScript = readonly EndpointAnswer[] | ((post: ArrivedPost) => EndpointAnswer)

export type FakeWebhookTransport = WebhookTransport &
  Readonly<{
    posts: readonly ArrivedPost[]
    /** How the endpoint at a URL answers from now on: one after the other, the last again and again. Unscripted ones answer 204. */
    script(url: string, script: EndpointScript): void
  }>

/** Endpoints in memory, on the clock given. Only https is a possible target. */
export function fakeWebhookTransport(clock: Clock): FakeWebhookTransport {
  const posts: ArrivedPost[] = []
  const scripts = new Map<string, (post: ArrivedPost) => EndpointAnswer>()
  return {
    posts,
    script(url, script) {
      scripts.set(url, typeof script === 'function' ? script : inTurn(script))
    },
    check: (url) => (url.startsWith('https://') ? null : { kind: 'forbidden-target', reason: 'must be https' }),
    post(request) {
      const arrived = { ...request, at: clock.now() }
      const answer = scripts.get(request.url)?.(arrived) ?? 204
      if (answer !== 'drop' && answer !== 'forbidden') posts.push(arrived)
      return new ResultAsync(answered(clock, request, answer))
    },
  }
}

function inTurn(script: readonly EndpointAnswer[]): () => EndpointAnswer {
  let next = 0
  return () => {
    const answer = script[Math.min(next, script.length - 1)] ?? 204
    next += 1
    return answer
  }
}

async function answered(
  clock: Clock,
  { timeoutMs }: WebhookRequest,
  answer: EndpointAnswer,
): Promise<Result<WebhookAnswer, WebhookUnanswered>> {
  if (answer === 'drop') return unanswered('unreachable', 'connection refused')
  if (answer === 'forbidden') return unanswered('forbidden', 'the address is private')
  if (answer === 'lie') return ok({ status: 500, retryAfterMs: null, body: '' })
  if (typeof answer === 'number') return ok({ status: answer, retryAfterMs: null, body: '' })
  const afterMs = answer === 'hang' ? timeoutMs : (answer.afterMs ?? 0)
  await clock.sleep(Math.min(afterMs, timeoutMs))
  if (answer === 'hang' || afterMs >= timeoutMs) return unanswered('timeout', `no answer within ${timeoutMs} ms`)
  return ok({ status: answer.status, retryAfterMs: answer.retryAfterMs ?? null, body: answer.body ?? '' })
}

function unanswered(cause: WebhookUnanswered['cause'], reason: string): Result<never, WebhookUnanswered> {
  return err({ kind: 'webhook-unanswered', cause, reason })
}
