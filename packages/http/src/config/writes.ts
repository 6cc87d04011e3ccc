import { type Address, type ConfigService, type EntryVersion, entryEtag, type Precondition, rootScope } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import type { ProblemCode } from '../problems/catalogue.ts'
import { type CoreError, problemOf } from '../problems/from-core.ts'
import type { Problem } from '../problems/problem.ts'
import { type Answer, encodedJson, privateJson, represent } from '../server/answer.ts'
import { type Endpoint, endpoint, json, type SuccessDocumentation } from '../server/endpoint.ts'
import { callerOf, type Exchange } from '../server/exchange.ts'
import { reason as reasonText } from '../server/parameters.ts'
import { entryBody } from './bodies.ts'
import { readPrecondition, scopeOrRoot } from './input.ts'
import { bodies } from './schemas.ts'
import { entryParameters, refuseScope, refuseTokenRules, tag } from './shared.ts'

const conditions = {
  'if-match': 'The ETag of the raw entry; one of the two is required',
  'if-none-match': '`*`: only if there is no entry at this address yet',
}
const conditionalProblems: readonly ProblemCode[] = [
  'scope-not-permitted',
  'invalid-header',
  'precondition-required',
  'stale-version',
  'resolved-etag',
  'store-unavailable',
]
const written = (description: string): SuccessDocumentation => ({
  description,
  content: json(bodies.entry),
  headers: { etag: 'The ETag of the entry, for the next If-Match' },
})
const scopeQuery = z.strictObject({ scope: scopeOrRoot })

export function writeEndpoints(config: ConfigService): readonly Endpoint[] {
  return [putEndpoint(config), deleteEndpoint(config), rollbackEndpoint(config)]
}

function putEndpoint(config: ConfigService): Endpoint {
  return endpoint({
    method: 'put',
    path: '/config/{component}/{key}',
    permission: 'config:write',
    confinement: 'scope',
    summary: 'Sets the value at exactly one address',
    description: 'What tokens are worth, `security/token.…`, is written with `admin` alone, here and by the other two ways of writing.',
    tag,
    params: entryParameters,
    query: scopeQuery,
    body: bodies.put,
    headers: conditions,
    successes: { 200: written('The version that replaced another'), 201: written('The version that created the entry') },
    problems: [...conditionalProblems, 'invalid-value'],
    handle: async ({ params, query: { scope }, body: { value, reason } }, exchange) => {
      const condition = conditionOf(exchange, { ...params, scope })
      if ('code' in condition) return condition
      const at = { ...params, scope }
      const version = await config.put({ ...at, value, reason, precondition: condition, caller: callerOf(exchange) })
      if (version.isErr()) return refusalOf(version.error, condition)
      const status = condition.kind === 'absent' ? 201 : 200
      return representVersion(exchange, status, version.value, { location: locationOf(at) })
    },
  })
}

function deleteEndpoint(config: ConfigService): Endpoint {
  return endpoint({
    method: 'delete',
    path: '/config/{component}/{key}',
    permission: 'config:write',
    confinement: 'scope',
    summary: 'Removes the entry at exactly one address, which inherits again',
    tag,
    params: entryParameters,
    query: z.strictObject({
      scope: scopeOrRoot,
      reason: reasonText.optional(),
    }),
    headers: conditions,
    successes: { 200: { description: 'The tombstone that was appended', content: json(bodies.entry) } },
    problems: [...conditionalProblems, 'entry-not-found'],
    handle: async ({ params, query: { scope, reason } }, exchange) => {
      const condition = conditionOf(exchange, { ...params, scope })
      if ('code' in condition) return condition
      const write = { ...params, scope, reason: reason ?? 'No reason given', precondition: condition, caller: callerOf(exchange) }
      const version = await config.unset(write)
      return version.isErr() ? refusalOf(version.error, condition) : representVersion(exchange, 200, version.value, {})
    },
  })
}

function rollbackEndpoint(config: ConfigService): Endpoint {
  return endpoint({
    method: 'post',
    path: '/config/{component}/{key}/rollback',
    permission: 'config:write',
    confinement: 'scope',
    summary: 'Appends a version with the content of an older one',
    tag,
    params: entryParameters,
    query: scopeQuery,
    body: bodies.rollback,
    headers: conditions,
    successes: { 200: written('The version made; restoredFrom tells its origin') },
    problems: [...conditionalProblems, 'entry-not-found', 'unknown-version', 'invalid-value'],
    handle: async ({ params, query: { scope }, body: { toVersion, reason } }, exchange) => {
      const condition = conditionOf(exchange, { ...params, scope })
      if ('code' in condition) return condition
      const write = { ...params, scope, toVersion, reason, precondition: condition, caller: callerOf(exchange) }
      const version = await config.rollback(write)
      return version.isErr() ? refusalOf(version.error, condition) : representVersion(exchange, 200, version.value, {})
    },
  })
}

function conditionOf(exchange: Exchange, at: Address): ReturnType<typeof readPrecondition> {
  return refuseScope(exchange, at.scope) ?? refuseTokenRules(exchange, at) ?? readPrecondition(exchange)
}

function refusalOf(error: CoreError, condition: Precondition): Problem {
  const refusal = problemOf(error)
  const isWeak = condition.kind === 'match' && condition.etags.some((etag) => etag.startsWith('W/'))
  if (error.kind !== 'stale-version' || !isWeak) return refusal
  return { ...refusal, detail: `${refusal.detail} If-Match compares strongly: a weak tag (W/"…") never matches.` }
}

/** A tombstone has no ETag: there is nothing that another write could match. */
function representVersion(
  exchange: Exchange,
  status: number,
  version: EntryVersion,
  headers: Readonly<Record<string, string>>,
): Promise<Answer | Problem> {
  const etag = version.op === 'put' ? entryEtag(version) : null
  return represent(exchange, { status, headers: { ...privateJson, ...headers }, body: encodedJson(entryBody(version)), etag })
}

function locationOf({ component, key, scope }: Address): string {
  const path = `/config/${component}/${key}`
  return scope === rootScope ? path : `${path}?scope=${scope}`
}
