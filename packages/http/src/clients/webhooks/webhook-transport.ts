import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { urlToHttpOptions } from 'node:url'
import type { WebhookAnswer, WebhookRequest, WebhookTransport, WebhookUnanswered } from '@cbp/core'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { checkedLookup } from './checked-lookup.ts'
import { type Gates, gates } from './gates.ts'
import { dnsResolver, type NameResolver } from './name-resolver.ts'
import { retryAfterMs } from './retry-after.ts'
import { inspectTarget } from './target.ts'
import { unanswered, unansweredBy } from './unanswered.ts'

/** Less where the other side offers less (`Keep-Alive: timeout=…`). */
const idleTimeoutMs = 10_000
const connectionsPerOrigin = 8
const maxHeaderSize = 16_384
const maxBodyBytes = 1024

export type WebhookTransportOptions = Readonly<{
  /** Development: http, `localhost` and loopback addresses are targets too. */
  allowDevelopmentTargets: boolean
  /** Instead of DNS. */
  resolver?: NameResolver
}>

type Target = Readonly<{ url: URL; agent: HttpAgent; signal: AbortSignal }>
type Outcome = Result<WebhookAnswer, WebhookUnanswered>

/**
 * The transport over node's own client. Connections are pooled by origin and each goes to an address that was checked when
 * it was opened; an origin that hangs holds up only itself. Proxies of the environment are not used. There are no retries
 * here: an idle connection that the other side closes at the wrong moment is an attempt without an answer.
 */
export function webhookTransport(options: WebhookTransportOptions): WebhookTransport & { close(): Promise<void> } {
  const { allowDevelopmentTargets, resolver = dnsResolver(null) } = options
  const pooled = {
    keepAlive: true,
    timeout: idleTimeoutMs,
    maxFreeSockets: connectionsPerOrigin,
    lookup: checkedLookup(resolver, allowDevelopmentTargets),
  }
  const httpAgent = new HttpAgent(pooled)
  const httpsAgent = new HttpsAgent({
    ...pooled,
    // Stated because the environment can weaken both (NODE_TLS_REJECT_UNAUTHORIZED, --tls-min-v1.0).
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    // A resumed session shows no certificate; every connection shall show one.
    maxCachedSessions: 0,
  })
  // Not the agents' own limit: they would connect also for calls that have given up while they waited.
  const doors = gates(connectionsPerOrigin)
  const closing = new AbortController()
  return {
    post: (request) => {
      const target = inspectTarget(request.url, allowDevelopmentTargets)
      if (target.isErr()) return new ResultAsync(Promise.resolve(err(unanswered('forbidden', target.error.reason))))
      const agent = target.value.protocol === 'https:' ? httpsAgent : httpAgent
      return new ResultAsync(post({ url: target.value, agent, signal: closing.signal }, request, doors))
    },
    check: (url) =>
      inspectTarget(url, allowDevelopmentTargets).match(
        () => null,
        (fault) => fault,
      ),
    close: () => {
      closing.abort()
      httpAgent.destroy()
      httpsAgent.destroy()
      resolver.close()
      return Promise.resolve()
    },
  }
}

/** Under one deadline, the wait for a free connection included. */
async function post({ url, agent, signal: closing }: Target, request: WebhookRequest, doors: Gates): Promise<Outcome> {
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), request.timeoutMs)
  const signal = AbortSignal.any([closing, deadline.signal])
  try {
    if (!(await doors.enter(url.origin, signal))) return err(givenUp(closing, request.timeoutMs))
    try {
      return ok(await exchange({ url, agent, signal }, request))
    } catch (error) {
      return err(signal.aborted ? givenUp(closing, request.timeoutMs) : unansweredBy(error))
    } finally {
      doors.leave(url.origin)
    }
  } finally {
    clearTimeout(timer)
  }
}

function givenUp(closing: AbortSignal, timeoutMs: number): WebhookUnanswered {
  if (closing.aborted) return unanswered('stopped', 'This service is stopping')
  return unanswered('timeout', `There was no complete answer within ${timeoutMs} ms`)
}

async function exchange({ url, agent, signal }: Target, { headers, body }: WebhookRequest): Promise<WebhookAnswer> {
  const options = { ...urlToHttpOptions(url), method: 'POST', headers: { ...headers }, agent, signal, maxHeaderSize }
  const response = await answerTo(url.protocol === 'https:' ? httpsRequest(options) : httpRequest(options), body)
  const { statusCode = 0, headers: answered } = response
  const wait = answered['retry-after']
  return { status: statusCode, retryAfterMs: wait === undefined ? null : retryAfterMs(wait, Date.now()), body: await beginningOf(response) }
}

function answerTo(request: ClientRequest, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve)
    request.on('error', reject)
    // Nobody asked for another protocol. Without a listener the connection would end without a word.
    request.on('upgrade', (_response, socket) => socket.destroy())
    request.on('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))
    request.end(body)
  })
}

/** What is not read is destroyed, and its connection with it: draining it would be work on a stranger's order. */
async function beginningOf(body: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBodyBytes) break
  }
  const beginning = Buffer.concat(chunks).subarray(0, maxBodyBytes)
  // As a stream, so that a character cut in two by the limit is left out. Not every store takes a NUL.
  return new TextDecoder().decode(beginning, { stream: bytes > maxBodyBytes }).replaceAll('\0', '\uFFFD')
}
