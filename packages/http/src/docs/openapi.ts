import { type OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi'
import { bodies } from '../config/schemas.ts'
import { bodies as eventBodies } from '../events/schemas.ts'
import { bodies as paymentBodies } from '../payments/schemas.ts'
import { catalogue, type ProblemCode } from '../problems/catalogue.ts'
import type { Access, Endpoint } from '../server/endpoint.ts'
import { bodies as webhookBodies } from '../webhooks/schemas.ts'

import { registerOutboundWebhooks } from './outbound-webhooks.ts'

type Registry = OpenAPIHono['openAPIRegistry']
type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>
type Responses = RouteConfig['responses']

const inputFault = z.strictObject({
  pointer: z.string().openapi({ description: 'Where: #/… into the body, #/query/…, #/path/… or #/header/…' }),
  code: z.string(),
  message: z.string(),
})

const problemSchema = z
  .looseObject({
    type: z.string().openapi({ format: 'uri-reference' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    requestId: z.string(),
    errors: z.array(inputFault).optional(),
  })
  .openapi('Problem', { description: 'RFC 9457. `type` leads to a page about the code.' })

function withCurrent(name: string, schema: z.ZodType): z.ZodType {
  return problemSchema.extend({ current: schema.optional().openapi({ description: 'As it is now' }) }).openapi(name)
}

/** Problems with members of their own; optional, because other problems of the same status lack them. */
const extended: Partial<Readonly<Record<ProblemCode, z.ZodType>>> = {
  'stale-version': problemSchema
    .extend({
      current: bodies.entry.nullable().optional().openapi({ description: 'The entry as it is now; null when there is none' }),
      differences: z
        .array(bodies.difference)
        .optional()
        .openapi({ description: 'From the version that If-Match names to the current one' }),
    })
    .openapi('StaleVersionProblem'),
  'stale-payment': withCurrent('StalePaymentProblem', paymentBodies.status),
  'stale-subscription': withCurrent('StaleSubscriptionProblem', webhookBodies.subscription),
  'payment-state-conflict': withCurrent('PaymentStateConflictProblem', paymentBodies.status),
  'dead-letter-settled': withCurrent('DeadLetterSettledProblem', eventBodies.deadLetter),
  'duplicate-reference': problemSchema
    .extend({ paymentId: z.uuid().optional().openapi({ description: 'The payment that has the reference' }) })
    .openapi('DuplicateReferenceProblem'),
  'cursor-gone': problemSchema
    .extend({ head: z.string().optional().openapi({ description: 'The head of the store as a cursor' }) })
    .openapi('CursorGoneProblem'),
  'revision-beyond-head': problemSchema
    .extend({ head: z.int().optional().openapi({ description: 'The newest revision there is' }) })
    .openapi('RevisionBeyondHeadProblem'),
}

/** Problems that any request may meet before an operation is chosen. */
const general: readonly ProblemCode[] = [
  'bad-request',
  'method-not-allowed',
  'request-timeout',
  'body-too-large',
  'expectation-failed',
  'header-too-large',
]

const description = [
  'Versioned, scoped configuration with conditional writes and a change feed that misses nothing; payments, webhooks and events.',
  'What is published and sent is described in [/asyncapi.json](/asyncapi.json), what this service asks of a Payment Service and a User Service in [/payment-service/openapi.json](/payment-service/openapi.json) and [/user-service/openapi.json](/user-service/openapi.json).',
  'Any request may also be refused before it reaches an operation:',
  general.map((code) => `- ${catalogue[code].status} \`${code}\`: ${catalogue[code].title}. ${catalogue[code].remedy}`).join('\n'),
].join('\n\n')

const requestIdHeader = { 'x-request-id': { schema: { type: 'string' as const }, description: 'The id of this request, also in the log' } }

/** Adds an endpoint to the document. Responses that every endpoint shares are added here. */
export function registerEndpoint(registry: Registry, endpoint: Endpoint): void {
  const { method, path, permission, documentation } = endpoint
  const { params, query, headers, requiredHeaders } = documentation
  const fields = { ...requiredHeaders, ...headers }
  const body = documentation.body ?? documentation.rawBody
  registry.registerPath({
    method,
    path,
    operationId: operationIdOf(endpoint),
    summary: documentation.summary,
    ...(documentation.description === undefined ? {} : { description: documentation.description }),
    tags: [documentation.tag],
    security: permission === null ? [] : [{ bearer: wordsOf(permission) }, { apiKey: wordsOf(permission) }],
    request: {
      ...(params === null ? {} : { params }),
      query,
      ...(Object.keys(fields).length === 0 ? {} : { headers: headerSchema(fields, requiredHeaders) }),
      ...(body === null
        ? {}
        : { body: { required: true, content: Object.fromEntries(documentation.bodyTypes.map((type) => [type, { schema: body }])) } }),
    },
    responses: { ...successes(endpoint), ...problems(problemCodesOf(endpoint)) },
  })
}

/** `authenticated` and `any-bearer` ask for no permission. */
function wordsOf(access: Exclude<Access, null>): string[] {
  return access === 'authenticated' || access === 'any-bearer' ? [] : [access]
}

function operationIdOf({ method, path }: Endpoint): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

function headerSchema(fields: Readonly<Record<string, string>>, required: Readonly<Record<string, string>>): z.ZodObject {
  return z.object(
    Object.fromEntries(
      Object.entries(fields).map(([name, description]) => {
        const field = name in required ? z.string() : z.string().optional()
        return [name, field.openapi({ description })]
      }),
    ),
  )
}

function successes({ documentation }: Endpoint): Responses {
  return Object.fromEntries(
    Object.entries(documentation.successes).map(([status, { description, content, headers }]) => [
      status,
      {
        description,
        headers: {
          ...requestIdHeader,
          ...Object.fromEntries(
            Object.entries(headers ?? {}).map(([name, text]) => [name, { schema: { type: 'string' as const }, description: text }]),
          ),
        },
        ...(content === undefined
          ? {}
          : { content: Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }])) }),
      },
    ]),
  )
}

/** Those of the endpoint, and those that follow from its shape. */
function problemCodesOf({ permission, traffic, documentation: { body, problems: own } }: Endpoint): readonly ProblemCode[] {
  const access: readonly ProblemCode[] =
    permission === null
      ? []
      : [
          'invalid-header',
          'unauthenticated',
          'invalid-token',
          'invalid-api-key',
          'insufficient-permission',
          'keys-unavailable',
          'store-unavailable',
        ]
  const load: readonly ProblemCode[] = traffic === 'probe' ? [] : ['rate-limited', 'overloaded']
  const input: readonly ProblemCode[] =
    body === null ? [] : ['malformed-json', 'request-timeout', 'body-too-large', 'unsupported-media-type', 'invalid-body']
  return [
    ...new Set<ProblemCode>([
      'invalid-parameter',
      ...access,
      ...load,
      ...input,
      ...own,
      'expectation-failed',
      'header-too-large',
      'internal-error',
      'deadline-exceeded',
    ]),
  ]
}

function schemaOf(codes: readonly ProblemCode[]): z.ZodType {
  return codes.map((code) => extended[code]).find((schema) => schema !== undefined) ?? problemSchema
}

function problems(codes: readonly ProblemCode[]): Responses {
  const byStatus = Map.groupBy(codes, (code) => catalogue[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, each]) => [
      String(status),
      {
        description: each.map((code) => `\`${code}\`: ${catalogue[code].title}`).join('\n\n'),
        headers: requestIdHeader,
        content: { 'application/problem+json': { schema: schemaOf(each) } },
      },
    ]),
  )
}

export function openApiDocument(app: Pick<OpenAPIHono, 'openAPIRegistry' | 'getOpenAPI31Document'>, version: string): Document {
  registerOutboundWebhooks(app.openAPIRegistry)
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A JWT of the configured issuer; permissions are words of its scope claim, `admin` grants them all.',
  })
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
    type: 'apiKey',
    in: 'header',
    name: 'x-api-key',
    description: 'An API key (`cbp_…`), which may also stand where a bearer token does.',
  })
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'CBP Config API',
      version,
      description,
      license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'Configuration', description: 'Settings, their history and their changes' },
      { name: 'Payments', description: 'Bills to pay, and how the Payment Service fares with them' },
      { name: 'Webhooks', description: 'Reports of the Payment Service, and events sent to subscribers' },
      { name: 'API keys', description: 'Credentials of services: made, rotated, revoked' },
      { name: 'Events', description: 'What waits to be published, and what could not be applied' },
      { name: 'Users', description: 'Who may act' },
      { name: 'Audit', description: 'Security actions on record, in a chain that shows what was tampered with' },
      { name: 'Health' },
      { name: 'Monitoring' },
      { name: 'Documentation' },
    ],
  })
}
