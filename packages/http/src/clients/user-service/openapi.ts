import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi'
import { userBody } from './wire.ts'

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>

const description = `What CBP Config API asks of a User Service: whether a user may act.

1. *404 is an answer*: there is no such user, and whoever comes with a token in that name is told that it is not active.
   Everything else but 200 says nothing about the user.
2. *A suspension is seen at once.* What is answered is used again for 2 seconds; a replica that lags adds its lag.
3. Answers are at most 16 KiB and come within 1.5 s. The client asks a second time after a lost connection, a time-out, 429,
   502, 503 and 504; after five failures in a row it asks nothing for 5 s. Redirects are not followed. Unknown members are ignored.`

const problem = z
  .object({ title: z.string().optional(), status: z.int().optional(), detail: z.string().optional() })
  .openapi('Problem', { description: 'RFC 9457; only the status is read' })

function refusal(text: string): RouteConfig['responses'][string] {
  return { description: text, content: { 'application/problem+json': { schema: problem } } }
}

const find: RouteConfig = {
  method: 'get',
  path: '/users/{userId}',
  operationId: 'findUser',
  summary: 'Who it is, and whether they may act',
  security: [{ bearer: [] }],
  request: {
    params: z.object({
      userId: z.string().openapi({ param: { name: 'userId', in: 'path' }, description: 'The `sub` of the token, percent-encoded' }),
    }),
  },
  responses: {
    200: { description: 'The user', content: { 'application/json': { schema: userBody } } },
    401: refusal('The token is missing or wrong'),
    403: refusal('The token does not allow this'),
    404: refusal('There is no such user'),
    429: refusal('Too many requests; Retry-After is honoured where it fits into the deadline of the call'),
    503: refusal('Not now; Retry-After as with 429'),
  },
}

/**
 * The interface that a User Service has to offer, made from the schemas that the client validates with.
 *
 * @param version of this service, which the interface changes with
 */
export function userServiceDocument(version: string): Document {
  const { openAPIRegistry: registry, getOpenAPI31Document: documentOf } = new OpenAPIHono()
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  registry.registerPath(find)
  return documentOf({
    openapi: '3.1.0',
    info: { title: 'CBP User Service', version, description, license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' } },
    servers: [{ url: '/', description: 'Wherever CBP_USER_SERVICE_URL points' }],
  })
}
