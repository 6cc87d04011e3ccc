import type { WebhookRequest, WebhookTransport } from '@cbp/core'
import { okAsync, ResultAsync } from 'neverthrow'
import { expect, it } from 'vitest'
import { untilStopped } from './until-stopped.ts'

const request: WebhookRequest = { url: 'https://example.com/', headers: {}, body: '{}', timeoutMs: 15_000 }
const answer = { status: 200, retryAfterMs: null, body: '' }

function transport(post: WebhookTransport['post']): WebhookTransport {
  return { post, check: () => null }
}

it('gives up on an endpoint that hangs when it is told to stop, and says why', async () => {
  const stop = new AbortController()
  const posted = untilStopped(
    transport(() => new ResultAsync(new Promise(() => {}))),
    stop.signal,
  ).post(request)
  stop.abort()
  expect((await posted)._unsafeUnwrapErr()).toEqual({
    kind: 'webhook-unanswered',
    cause: 'stopped',
    reason: 'This service is stopping',
  })
})

it('begins nothing afterwards', async () => {
  let posts = 0
  const counting = transport(() => {
    posts += 1
    return okAsync(answer)
  })
  const posted = await untilStopped(counting, AbortSignal.abort()).post(request)
  expect([posted.isErr(), posts]).toEqual([true, 0])
})

it('passes on what is answered in time', async () => {
  const posted = await untilStopped(
    transport(() => okAsync(answer)),
    new AbortController().signal,
  ).post(request)
  expect(posted._unsafeUnwrap()).toEqual(answer)
})
