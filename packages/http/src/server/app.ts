import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { OpenAPIHono } from '@hono/zod-openapi'
import { apiKeyEndpoints } from '../api-keys/endpoints.ts'
import { auditEndpoints } from '../audit/endpoints.ts'
import { configEndpoints } from '../config/endpoints.ts'
import { docsEndpoints } from '../docs/endpoints.ts'
import { registerEndpoint } from '../docs/openapi.ts'
import { eventEndpoints } from '../events/endpoints.ts'
import { healthEndpoints } from '../health/endpoints.ts'
import { metricsEndpoints } from '../metrics/endpoints.ts'
import { paymentEndpoints } from '../payments/endpoints.ts'
import { problemEndpoints } from '../problems/endpoints.ts'
import { type Problem, problem } from '../problems/problem.ts'
import { userEndpoints } from '../users/endpoints.ts'
import { webhookEndpoints } from '../webhooks/endpoints.ts'
import { type Answer, answerWithout } from './answer.ts'
import { requestDeadlines } from './deadline.ts'
import type { AppDependencies } from './dependencies.ts'
import type { Edge } from './edge.ts'
import type { Endpoint } from './endpoint.ts'
import { type Exchange, type ExchangeParts, type HostBindings, requestIds } from './exchange.ts'
import { type RefuseExpectation, refuseExpectation } from './expectation.ts'
import { type FastLane, fastLane } from './fast-lane.ts'
import { type Finished, pipeline } from './pipeline.ts'
import { type AppContext, allowedMethods, exchangeOf, routePath } from './routing.ts'
import { type SecureHeaders, secureHeadersWith } from './secure-headers.ts'

export type App = OpenAPIHono<{ Bindings: HostBindings }>

/** The HTTP interface: a Hono app for everything, and a lane in front of it for the one request that matters most. */
export type HttpInterface = Readonly<{
  app: App
  /** Every route, and who may call it. */
  endpoints: readonly Endpoint[]
  fastLane: FastLane
  refuseExpectation: RefuseExpectation
  partitionOf: Edge['partitionOf']
  /** For what is refused before there is a request. */
  secureHeaders: SecureHeaders
}>

/** How long a body may take to arrive; what is left of a request's own deadline is for the answer. */
const bodyDeadlineMs = 20_000

/** The whole HTTP interface as a Hono app. */
export function createApp(deps: AppDependencies): App {
  return httpInterface(deps).app
}

/**
 * Every route is a single handler: what other apps do in middleware happens in the pipeline, on plain objects, because
 * Hono is fast only while nothing touches its Response.
 */
export function httpInterface(deps: AppDependencies): HttpInterface {
  const app: App = new OpenAPIHono()
  const deadlines = requestDeadlines()
  const parts: ExchangeParts = {
    requestIdFor: requestIds(deps.instanceId),
    inTime: (reading) => deadlines.within(reading, deps.bodyDeadlineMs ?? bodyDeadlineMs, () => 'too-slow'),
    findAddress: deps.edge.findAddress,
  }
  const secureHeaders = deps.secureHeaders ?? secureHeadersWith(null)
  const line = pipeline({
    ...deps.edge,
    log: deps.log,
    secureHeaders,
    deadlines,
    deadlineMs: deps.deadlineMs ?? null,
    isStopping: deps.lifecycle.isStopping,
    onAnswered: deps.onAnswered,
  })
  const endpoints: readonly Endpoint[] = [
    ...healthEndpoints(deps),
    ...metricsEndpoints(deps),
    ...problemEndpoints(),
    ...configEndpoints(deps),
    ...paymentEndpoints(deps.core.payments),
    ...webhookEndpoints(deps),
    ...apiKeyEndpoints(deps),
    ...eventEndpoints(deps.core.events),
    ...userEndpoints(deps.core.users),
    ...auditEndpoints(deps.core.audit),
    ...docsEndpoints(app, deps.version),
  ]
  for (const endpoint of endpoints) {
    registerEndpoint(app.openAPIRegistry, endpoint)
    app.on(endpoint.method.toUpperCase(), routePath(endpoint), async (c) => respond(c, await line.run(endpoint, exchangeOf(c, parts))))
  }
  app.notFound(async (c) => {
    const exchange = exchangeOf(c, parts)
    return respond(c, await line.refuse(refusalOf(app, exchange), exchange))
  })
  return {
    app,
    endpoints,
    fastLane: fastLane(line, endpoints, { ...parts, log: deps.log }),
    refuseExpectation: refuseExpectation(line, parts),
    partitionOf: deps.edge.partitionOf,
    secureHeaders,
  }
}

function refusalOf(app: App, { path, method }: Exchange): Problem | Answer {
  const allowed = allowedMethods(app, path)
  const allow = allowed.join(', ')
  if (allowed.length === 0) return problem('not-found', `There is nothing at ${path}.`)
  if (method === 'OPTIONS') return answerWithout(204, { allow })
  return problem('method-not-allowed', `${path} does not take ${method}.`, { headers: { allow } })
}

function respond(c: AppContext, finished: Finished): Response {
  if (!('run' in finished)) {
    return new Response(finished.body as string | Uint8Array<ArrayBuffer> | null, { status: finished.status, headers: finished.headers })
  }
  const { outgoing } = c.env
  if (outgoing === undefined) throw new Error('a stream needs a node response to write to')
  // Not awaited: what Hono holds for a request would be held for as long as the stream stays.
  void finished.run(outgoing, finished.headers)
  return RESPONSE_ALREADY_SENT
}
