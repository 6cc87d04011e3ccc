import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '@cbp/core'
import { entryPath } from '../config/reads.ts'
import { watchPath } from '../config/watching.ts'
import type { Endpoint } from './endpoint.ts'
import { addressOf, certificateOf, countCredentials, type Exchange, type ExchangeParts, readTraceparent } from './exchange.ts'
import type { Pipeline } from './pipeline.ts'
import { readIncoming } from './read-incoming.ts'

/** Answers a request straight from node's own objects; `false` leaves it to the app. */
export type FastLane = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean

/** One endpoint as the lane knows it: of `target` the first group is the path, the last the query, those between its parameters. */
type Way = Readonly<{ method: string; target: RegExp; names: readonly string[]; endpoint: Endpoint }>

const plainHost = /^[a-z0-9._-]+(?::\d{1,5})?$/
const query = String.raw`(?:\?([\w/.=&-]*))?`
const id = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'

export type FastLaneOptions = ExchangeParts & Readonly<{ log: Log }>

/**
 * A lane past Hono for the requests that are by far the most frequent, and for `GET /config/watch`, of which a thousand
 * stay open at a time. It runs the same endpoints in the same pipeline and differs only in how the request is read and the
 * answer written; whatever is unusual goes to the app.
 */
export function fastLane({ run }: Pipeline, endpoints: readonly Endpoint[], options: FastLaneOptions): FastLane {
  const ways = waysTo(endpoints)
  const answer = async (endpoint: Endpoint, exchange: Exchange, outgoing: ServerResponse): Promise<void> => {
    try {
      const finished = await run(endpoint, exchange)
      if (outgoing.destroyed) return
      // Not awaited: what belongs to the request would be held for as long as the stream stays.
      if ('run' in finished) return void finished.run(outgoing, finished.headers)
      outgoing.writeHead(finished.status, finished.headers)
      outgoing.end(finished.body ?? undefined)
    } catch (defect) {
      options.log.write('error', 'an answer could not be written', { requestId: exchange.requestId, error: String(defect) })
      outgoing.destroy()
    }
  }
  return (incoming, outgoing) => {
    const { method = 'GET', url = '', headers } = incoming
    if (!plainHost.test(headers.host ?? '')) return false
    for (const way of ways) {
      const parts = way.method === method ? way.target.exec(url) : null
      if (parts === null) continue
      void answer(way.endpoint, plainExchange(incoming, outgoing, targetOf(way, parts), options), outgoing)
      return true
    }
    return false
  }
}

function waysTo(endpoints: readonly Endpoint[]): readonly Way[] {
  const way = (method: 'get' | 'post', path: string, target: string, ...names: readonly string[]): Way => ({
    method: method.toUpperCase(),
    target: new RegExp(`^(${target})${query}$`),
    names,
    endpoint: endpointAt(endpoints, method, path),
  })
  return [
    way('get', entryPath, '/config/([a-z0-9-]+)/([a-z0-9][a-z0-9.-]*)', 'component', 'key'),
    way('get', watchPath, watchPath),
    way('post', '/payments', '/payments'),
    way('post', '/payments/{id}/process', `/payments/(${id})/process`, 'id'),
    way('get', '/payments/{id}', `/payments/(${id})`, 'id'),
    way('get', '/payments/{id}/status', `/payments/(${id})/status`, 'id'),
    way('post', '/webhooks/payment-status', '/webhooks/payment-status'),
    way('get', '/users/verify', '/users/verify'),
  ]
}

function targetOf({ names }: Way, parts: RegExpExecArray): Pick<Exchange, 'path' | 'query' | 'params'> {
  const params: Record<string, string> = {}
  for (const [index, name] of names.entries()) params[name] = parts[index + 2] ?? ''
  return { path: parts[1] ?? '', query: parts[names.length + 2] ?? '', params }
}

function endpointAt(endpoints: readonly Endpoint[], method: string, wanted: string): Endpoint {
  const endpoint = endpoints.find((each) => each.method === method && each.path === wanted)
  if (endpoint === undefined) throw new Error(`there is no ${method} ${wanted}`)
  return endpoint
}

/** A request from node's own objects. */
export function plainExchange(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: Pick<Exchange, 'path' | 'query' | 'params'>,
  { requestIdFor, inTime, findAddress }: ExchangeParts,
): Exchange {
  const { headers, method = 'GET' } = incoming
  return {
    method,
    ...target,
    header: (name) => headers[name] as string | undefined,
    readBody: (limitBytes) => inTime(readIncoming(incoming, limitBytes)),
    requestId: requestIdFor(headers['x-request-id'] as string | undefined),
    traceparent: readTraceparent(headers['traceparent'] as string | undefined),
    outgoing,
    address: addressOf(incoming, findAddress),
    certificate: certificateOf(incoming),
    credentialFields: () => countCredentials(incoming),
    identity: null,
    rateLimit: null,
  }
}
