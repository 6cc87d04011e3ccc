import type { AccessService, ApiKeyDetails, IssuedApiKey } from '@cbp/core'
import { viewerOf } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { problemOf } from '../problems/from-core.ts'
import type { Problem } from '../problems/problem.ts'
import { type Answer, encodedJson, privateJson, represent, representJson } from '../server/answer.ts'
import type { AppDependencies } from '../server/dependencies.ts'
import { type Endpoint, endpoint, json, smallBodyBytes } from '../server/endpoint.ts'
import { callerOf, type Exchange, identityIn } from '../server/exchange.ts'
import { idCursor, idParameter, limitParameter, pageBody, reason } from '../server/parameters.ts'
import { readJsonBody } from '../server/validate.ts'
import { apiKeyBody, issuedApiKeyBody } from './bodies.ts'
import { bodies, type CreateApiKeyBody, type RotateApiKeyBody } from './schemas.ts'

const tag = 'API keys'
const params = z.strictObject({ id: idParameter('The API key') })
const jsonOnly = ['application/json'] as const

export function apiKeyEndpoints({ core: { access } }: Pick<AppDependencies, 'core'>): readonly Endpoint[] {
  return [listEndpoint(access), createEndpoint(access), apiKeyEndpoint(access), rotateEndpoint(access), revokeEndpoint(access)]
}

/** With a secret in it nobody may keep the answer. */
function representIssued(exchange: Exchange, status: number, issued: IssuedApiKey): Promise<Answer | Problem> {
  const location = status === 201 ? { location: `/api-keys/${issued.key.id}` } : {}
  const headers = { ...privateJson, 'cache-control': 'private, no-store', ...location }
  return represent(exchange, { status, headers, body: encodedJson(issuedApiKeyBody(issued)), etag: null })
}

function listEndpoint(access: AccessService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/api-keys',
    permission: 'keys:read',
    confinement: 'owner',
    summary: 'API keys, newest first',
    description: 'Those that the client made; with `clients:all` those of every client. Secrets are never shown again.',
    tag,
    query: z.strictObject({ limit: limitParameter, cursor: idCursor('api-key') }),
    successes: { 200: { description: 'A page of API keys', content: json(bodies.apiKeys) } },
    problems: ['store-unavailable'],
    handle: async ({ query: { limit, cursor } }, exchange) => {
      const page = await access.apiKeys(viewerOf(identityIn(exchange)), cursor ?? null, limit)
      return page.isErr() ? problemOf(page.error) : representJson(exchange, pageBody('api-key', page.value, apiKeyBody))
    },
  })
}

function createEndpoint(access: AccessService): Endpoint {
  return endpoint({
    method: 'post',
    path: '/api-keys',
    permission: 'keys:write',
    confinement: 'owner',
    summary: 'Makes an API key',
    description:
      'The key is told this once, or sealed to a recipient whose public key is given. Nobody grants more permissions or scopes than they hold themselves.',
    tag,
    body: bodies.create,
    bodyLimitBytes: smallBodyBytes,
    successes: {
      201: {
        description: 'The API key, and its text or sealed form this once',
        content: json(bodies.issued),
        headers: { location: 'Its path' },
      },
    },
    problems: ['beyond-grant', 'too-many-api-keys', 'unusable-recipient', 'store-unavailable'],
    handle: async ({ body }, exchange) => {
      const [grantor, caller] = [identityIn(exchange), callerOf(exchange)]
      const made = await access.createApiKey({ details: detailsOf(body), recipient: body.recipient ?? null, grantor, caller })
      return made.isErr() ? problemOf(made.error) : representIssued(exchange, 201, made.value)
    },
  })
}

function detailsOf({ name, permissions, configScopes, allowedFrom, lifetimeDays }: CreateApiKeyBody): ApiKeyDetails {
  return { name, permissions, configScopes: configScopes ?? null, allowedFrom: allowedFrom ?? null, lifetimeDays: lifetimeDays ?? null }
}

function apiKeyEndpoint(access: AccessService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/api-keys/{id}',
    permission: 'keys:read',
    confinement: 'owner',
    summary: 'One API key, without its secrets',
    tag,
    params,
    successes: { 200: { description: 'The API key', content: json(bodies.apiKey) } },
    problems: ['api-key-not-found', 'store-unavailable'],
    handle: async ({ params: { id } }, exchange) => {
      const found = await access.apiKey(viewerOf(identityIn(exchange)), id)
      return found.isErr() ? problemOf(found.error) : representJson(exchange, apiKeyBody(found.value))
    },
  })
}

function rotateEndpoint(access: AccessService): Endpoint {
  return endpoint({
    method: 'post',
    path: '/api-keys/{id}/rotate',
    permission: 'keys:write',
    confinement: 'owner',
    summary: 'Gives an API key a new secret; the older ones stay valid for the overlap',
    description:
      'Takes a body only to name a recipient. Id, client, permissions and scopes stay. Who rotates a key gets hold of its secret, and so needs all that it may do; a key may rotate itself.',
    tag,
    params,
    rawBody: bodies.rotate,
    bodyLimitBytes: smallBodyBytes,
    successes: { 200: { description: 'The API key, and its new text or sealed form this once', content: json(bodies.issued) } },
    problems: [
      ...(['malformed-json', 'unsupported-media-type', 'invalid-body', 'body-too-large'] as const),
      ...(['api-key-not-found', 'api-key-revoked', 'beyond-grant', 'too-many-secrets', 'unusable-recipient', 'store-unavailable'] as const),
    ],
    handle: async ({ params: { id } }, exchange) => {
      const read = await readRecipient(exchange)
      if ('code' in read) return read
      const [grantor, caller] = [identityIn(exchange), callerOf(exchange)]
      const rotated = await access.rotateApiKey({ id, recipient: read.body.recipient ?? null, grantor, caller })
      return rotated.isErr() ? problemOf(rotated.error) : representIssued(exchange, 200, rotated.value)
    },
  })
}

async function readRecipient(exchange: Exchange): Promise<Readonly<{ body: RotateApiKeyBody }> | Problem> {
  const length = exchange.header('content-length')
  const isEmpty = length === '0' || (length === undefined && exchange.header('transfer-encoding') === undefined)
  if (isEmpty && (length === '0' || exchange.header('content-type') === undefined)) return { body: {} }
  return readJsonBody(exchange, bodies.rotate, { types: jsonOnly, limitBytes: smallBodyBytes })
}

function revokeEndpoint(access: AccessService): Endpoint {
  return endpoint({
    method: 'delete',
    path: '/api-keys/{id}',
    permission: 'keys:write',
    confinement: 'owner',
    summary: 'Revokes an API key with all of its secrets, for good',
    description:
      'It is refused everywhere at once, and within 60 s by an instance that hears of nothing. Revoking it again changes nothing.',
    tag,
    params,
    query: z.strictObject({ reason: reason.optional().openapi({ description: 'Why; kept in the audit log' }) }),
    successes: { 200: { description: 'The API key that was', content: json(bodies.revoked) } },
    problems: ['api-key-not-found', 'store-unavailable'],
    handle: async ({ params: { id }, query }, exchange) => {
      const command = { id, viewer: viewerOf(identityIn(exchange)), reason: query.reason ?? null, caller: callerOf(exchange) }
      const ended = await access.revokeApiKey(command)
      return ended.isErr() ? problemOf(ended.error) : representJson(exchange, apiKeyBody({ key: ended.value, status: 'revoked' }))
    },
  })
}
