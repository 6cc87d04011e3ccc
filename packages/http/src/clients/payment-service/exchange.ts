import type { Clock } from '@cbp/core'
import type { Dispatcher, Pool } from 'undici'

export type Request = Readonly<{
  method: 'GET' | 'PUT'
  path: string
  headers: Readonly<Record<string, string>>
  body: string | null
}>

/** `sent`: the request, or a part of it, may have left. */
export type Unanswered = Readonly<{
  kind: 'unanswered'
  sent: boolean
  cause: 'timeout' | 'connection' | 'size' | 'not-tried'
  reason: string
}>

export type Answer = Readonly<{ kind: 'answer'; status: number; retryAfter: string | null; body: string }>

export type ExchangeLimits = Readonly<{ timeoutMs: number; answerLimitBytes: number }>

/**
 * One request and its answer, within a deadline that covers connecting, sending and the whole answer.
 *
 * It speaks to undici's dispatcher rather than to `request`: only there can be seen whether a request was ever handed to a
 * connection, and on that rests whether a payment may have been instructed.
 */
export async function exchange(
  pool: Pool,
  clock: Clock,
  request: Request,
  limits: ExchangeLimits,
  cancel: AbortSignal,
): Promise<Answer | Unanswered> {
  const over = new AbortController()
  const stop = (): void => over.abort()
  cancel.addEventListener('abort', stop, { once: true })
  if (cancel.aborted) stop()
  try {
    return await new Promise((resolve) => {
      const reception = receive(limits, resolve)
      void clock.sleep(limits.timeoutMs, over.signal).then(() => reception.giveUp(`no answer within ${limits.timeoutMs} ms`))
      pool.dispatch({ ...request, headers: { ...request.headers } }, reception.handler)
    })
  } finally {
    stop()
    cancel.removeEventListener('abort', stop)
  }
}

type Reception = Readonly<{ handler: Dispatcher.DispatchHandler; giveUp: (reason: string) => void }>

function receive({ answerLimitBytes }: ExchangeLimits, resolve: (outcome: Answer | Unanswered) => void): Reception {
  let controller: Dispatcher.DispatchController | null = null
  let sent = false
  let ended = false
  let status = 0
  let retryAfter: string | null = null
  let length = 0
  const chunks: Buffer[] = []

  function end(outcome: Answer | Unanswered): void {
    if (ended) return
    ended = true
    resolve(outcome)
    if (outcome.kind === 'unanswered') controller?.abort(new Error(outcome.reason))
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(given) {
      controller = given
      // It waited for a connection for longer than its caller.
      if (ended) given.abort(new Error('given up'))
      else sent = true
    },
    onResponseStart(_, code, headers) {
      status = code
      const field = headers['retry-after']
      retryAfter = typeof field === 'string' ? field : null
    },
    onResponseData(_, chunk) {
      length += chunk.length
      if (length > answerLimitBytes) end({ kind: 'unanswered', sent, cause: 'size', reason: `an answer beyond ${answerLimitBytes} bytes` })
      else chunks.push(chunk)
    },
    onResponseEnd: () => end({ kind: 'answer', status, retryAfter, body: Buffer.concat(chunks).toString('utf8') }),
    onResponseError: (_, error) => end({ kind: 'unanswered', sent, cause: 'connection', reason: reasonOf(error) }),
  }
  return { handler, giveUp: (reason) => end({ kind: 'unanswered', sent, cause: 'timeout', reason }) }
}

/** The code alone: messages name addresses, and may quote what was sent. */
function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return `no connection, or it was lost (${typeof code === 'string' ? code : 'no code'})`
}
