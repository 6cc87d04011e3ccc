import type { IncomingMessage, ServerResponse } from 'node:http'
import { routePathOfEntries } from '../config/reads.ts'
import type { Endpoint } from './endpoint.ts'
import { type Exchange, readTraceparent } from './exchange.ts'
import type { Pipeline } from './pipeline.ts'

/** Answers a request straight from node's own objects; `false` leaves it to the app. */
export type FastLane = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean

const plainTarget = /^(\/config\/([a-z0-9-]+)\/([a-z0-9.-]+))(?:\?([\w/.=&-]*))?$/
const plainHost = /^[a-z0-9._-]+(?::\d{1,5})?$/

/**
 * A lane past Hono for `GET /config/{component}/{key}`, by far the most frequent request. It runs the same endpoint in the
 * same pipeline and differs only in how the request is read and the answer written; whatever is unusual goes to the app.
 */
export function fastLane({ run }: Pipeline, endpoints: readonly Endpoint[], requestIdFor: (given: string | undefined) => string): FastLane {
  const endpoint = endpoints.find(({ method, path }) => method === 'get' && path === routePathOfEntries)
  if (endpoint === undefined) throw new Error(`there is no GET ${routePathOfEntries}`)
  return (incoming, outgoing) => {
    if (incoming.method !== 'GET' || !plainHost.test(incoming.headers.host ?? '')) return false
    const parts = plainTarget.exec(incoming.url ?? '')
    if (parts === null) return false
    void run(endpoint, exchangeOf(incoming, outgoing, parts, requestIdFor)).then((finished) => {
      if ('run' in finished || outgoing.destroyed) return
      outgoing.writeHead(finished.status, finished.headers)
      outgoing.end(finished.body ?? undefined)
    })
    return true
  }
}

function exchangeOf(
  { headers }: IncomingMessage,
  outgoing: ServerResponse,
  parts: RegExpExecArray,
  requestIdFor: (given: string | undefined) => string,
): Exchange {
  return {
    method: 'GET',
    path: parts[1] as string,
    query: parts[4] ?? '',
    params: { component: parts[2] as string, key: parts[3] as string },
    header: (name) => headers[name] as string | undefined,
    readBody: async () => new Uint8Array(),
    requestId: requestIdFor(headers['x-request-id'] as string | undefined),
    traceparent: readTraceparent(headers['traceparent'] as string | undefined),
    outgoing,
    identity: null,
  }
}
