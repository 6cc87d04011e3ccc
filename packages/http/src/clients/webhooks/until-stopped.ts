import type { WebhookAnswer, WebhookTransport, WebhookUnanswered } from '@cbp/core'
import { err, type Result, ResultAsync } from 'neverthrow'
import { unanswered } from './unanswered.ts'

/** A transport whose calls end with `stop`, whatever the endpoint does: the message stays pending, and its next attempt has the same id. */
export function untilStopped(transport: WebhookTransport, stop: AbortSignal): WebhookTransport {
  return {
    ...transport,
    post: (request) => {
      const { promise: stopped, resolve } = Promise.withResolvers<Result<WebhookAnswer, WebhookUnanswered>>()
      const giveUp = (): void => resolve(err(unanswered('stopped', 'This service is stopping')))
      if (stop.aborted) {
        giveUp()
        return new ResultAsync(stopped)
      }
      stop.addEventListener('abort', giveUp, { once: true })
      return new ResultAsync(Promise.race([transport.post(request), stopped]).finally(() => stop.removeEventListener('abort', giveUp)))
    },
  }
}
