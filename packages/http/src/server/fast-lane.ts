import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '@cbp/core'
import { entryPath } from '../config/reads.ts'
import { watchPath } from '../config/watching.ts'
import type { Endpoint } from './endpoint.ts'
import { type Exchange, readTraceparent } from './exchange.ts'
import type { Pipeline } from './pipeline.ts'

/** Answers a request straight from node's own objects; `false` leaves it to the app. */
export type FastLane = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean

const entryTarget = /^(\/config\/([a-z0-9-]+)\/([a-z0-9.-]+))(?:\?([\w/.=&-]*))?$/
const watchTarget = /^(\/config\/watch)(?:\?([\w/.=&-]*))?$/
const plainHost = /^[a-z0-9._-]+(?::\d{1,5})?$/

type RequestIds = (given: string | undefined) => string

/**
 * A lane past Hono for `GET /config/{component}/{key}`, by far the most frequent request, and for `GET /config/watch`, of
 * which a thousand stay open at a time. It runs the same endpoints in the same pipeline and differs only in how the
 * request is read and the answer written; whatever is unusual goes to the app.
 */
export function fastLane({ run }: Pipeline, endpoints: readonly Endpoint[], requestIdFor: RequestIds, log: Log): FastLane {
  const entry = endpointAt(endpoints, entryPath)
  const watch = endpointAt(endpoints, watchPath)
  const answer = async (endpoint: Endpoint, exchange: Exchange, outgoing: ServerResponse): Promise<void> => {
    try {
      const finished = await run(endpoint, exchange)
      if (outgoing.destroyed) return
      // Not awaited: what belongs to the request would be held for as long as the stream stays.
      if ('run' in finished) return void finished.run(outgoing, finished.headers)
      outgoing.writeHead(finished.status, finished.headers)
      outgoing.end(finished.body ?? undefined)
    } catch (defect) {
      log.write('error', 'an answer could not be written', { requestId: exchange.requestId, error: String(defect) })
      outgoing.destroy()
    }
  }
  return (incoming, outgoing) => {
    const { method, url = '', headers } = incoming
    if (method !== 'GET' || !plainHost.test(headers.host ?? '')) return false
    const [, path, component, key, query] = entryTarget.exec(url) ?? noMatch
    if (path !== undefined && component !== undefined && key !== undefined) {
      void answer(
        entry,
        plainExchange(incoming, outgoing, { path, query: query ?? '', params: { component, key } }, requestIdFor),
        outgoing,
      )
      return true
    }
    const [, watched, selection] = watchTarget.exec(url) ?? noMatch
    if (watched === undefined) return false
    void answer(watch, plainExchange(incoming, outgoing, { path: watched, query: selection ?? '', params: {} }, requestIdFor), outgoing)
    return true
  }
}

const noMatch: readonly string[] = []

function endpointAt(endpoints: readonly Endpoint[], wanted: string): Endpoint {
  const endpoint = endpoints.find(({ method, path }) => method === 'get' && path === wanted)
  if (endpoint === undefined) throw new Error(`there is no GET ${wanted}`)
  return endpoint
}

/** A request without a body, from node's own objects. */
export function plainExchange(
  { headers, method = 'GET' }: IncomingMessage,
  outgoing: ServerResponse,
  target: Pick<Exchange, 'path' | 'query' | 'params'>,
  requestIdFor: RequestIds,
): Exchange {
  return {
    method,
    ...target,
    header: (name) => headers[name] as string | undefined,
    readBody: async () => new Uint8Array(),
    requestId: requestIdFor(headers['x-request-id'] as string | undefined),
    traceparent: readTraceparent(headers['traceparent'] as string | undefined),
    outgoing,
    identity: null,
  }
}
