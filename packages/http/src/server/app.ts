import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { OpenAPIHono } from '@hono/zod-openapi'
import { configEndpoints } from '../config/endpoints.ts'
import { docsEndpoints } from '../docs/endpoints.ts'
import { registerEndpoint } from '../docs/openapi.ts'
import { healthEndpoints } from '../health/endpoints.ts'
import { metricsEndpoints } from '../metrics/endpoints.ts'
import { problem } from '../problems/problem.ts'
import { problemEndpoints } from '../problems/endpoints.ts'
import { answerWithout } from './answer.ts'
import type { AppDependencies } from './dependencies.ts'
import { requestDeadlines } from './deadline.ts'
import type { Endpoint } from './endpoint.ts'
import { type HostBindings, requestIds } from './exchange.ts'
import { type Finished, pipeline } from './pipeline.ts'
import { allowedMethods, type AppContext, exchangeOf, routePath } from './routing.ts'

export type App = OpenAPIHono<{ Bindings: HostBindings }>

/**
 * The whole HTTP interface as a Hono app. Every route is a single handler: what other apps do in middleware happens in
 * the pipeline, on plain objects, because Hono is fast only while nothing touches its Response.
 */
export function createApp(deps: AppDependencies): App {
  const app: App = new OpenAPIHono()
  const requestIdFor = requestIds(deps.instanceId)
  const { run, refuse } = pipeline({
    verifyToken: deps.verifyToken,
    log: deps.log,
    deadlines: requestDeadlines(),
    deadlineMs: deps.deadlineMs ?? null,
    isStopping: deps.lifecycle.isStopping,
    onAnswered: deps.onAnswered,
  })
  const mount = (endpoint: Endpoint): void => {
    registerEndpoint(app.openAPIRegistry, endpoint)
    app.on(endpoint.method.toUpperCase(), routePath(endpoint), async (c) =>
      respond(c, await run(endpoint, exchangeOf(c, requestIdFor))),
    )
  }
  const endpoints = [
    ...healthEndpoints(deps),
    ...metricsEndpoints(deps),
    ...problemEndpoints(),
    ...configEndpoints(deps),
  ]
  for (const endpoint of endpoints) mount(endpoint)
  for (const endpoint of docsEndpoints(app, deps.version)) mount(endpoint)

  app.notFound((c) => {
    const exchange = exchangeOf(c, requestIdFor)
    const allowed = allowedMethods(app, exchange.path)
    const allow = allowed.join(', ')
    if (allowed.length === 0) return respond(c, refuse(problem('not-found', `There is nothing at ${exchange.path}.`), exchange))
    if (exchange.method === 'OPTIONS') return respond(c, refuse(answerWithout(204, { allow }), exchange))
    const refusal = problem('method-not-allowed', `${exchange.path} does not take ${exchange.method}.`, { headers: { allow } })
    return respond(c, refuse(refusal, exchange))
  })
  return app
}

function respond(c: AppContext, finished: Finished): Response | Promise<Response> {
  if (!('run' in finished)) {
    return new Response(finished.body as string | Uint8Array<ArrayBuffer> | null, { status: finished.status, headers: finished.headers })
  }
  const { outgoing } = c.env
  if (outgoing === undefined) throw new Error('a stream needs a node response to write to')
  return finished.run(outgoing, finished.headers).then(() => RESPONSE_ALREADY_SENT)
}
