import { type ConfigService, entryEtag } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { problemOf } from '../problems/from-core.ts'
import { encodedJson, privateJson, represent, representJson } from '../server/answer.ts'
import { type Endpoint, endpoint, json } from '../server/endpoint.ts'
import { formatPageCursor, limitParameter, numberParameter, pageCursor } from '../server/parameters.ts'
import { entryBody } from './bodies.ts'
import { componentParameter, keyParameter, scopeOrRoot } from './input.ts'
import { bodies } from './schemas.ts'
import { entryParameters, refuseScope, tag } from './shared.ts'

const versionNumber = numberParameter(1, 999_999_999, 'The number of a version')

export function historyEndpoints(config: ConfigService): readonly Endpoint[] {
  return [versionsEndpoint(config), versionEndpoint(config), diffEndpoint(config)]
}

function versionsEndpoint(config: ConfigService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/config/{component}/{key}/versions',
    permission: 'config:read',
    confinement: 'scope',
    summary: 'Every version at an address, newest first',
    tag,
    params: entryParameters,
    query: z.strictObject({
      scope: scopeOrRoot,
      limit: limitParameter,
      cursor: pageCursor('version', (position) => (/^[1-9]\d{0,14}$/.test(position) ? Number(position) : null)),
    }),
    successes: { 200: { description: 'A page of versions, tombstones included', content: json(bodies.versions) } },
    problems: ['scope-not-permitted', 'entry-not-found', 'store-unavailable'],
    handle: async ({ params, query: { scope, limit, cursor } }, exchange) => {
      const refusal = refuseScope(exchange, scope)
      if (refusal !== null) return refusal
      const page = await config.versions({ ...params, scope }, { before: cursor ?? null, limit })
      if (page.isErr()) return problemOf(page.error)
      const { items, next } = page.value
      const body = { items: items.map(entryBody), nextCursor: next === null ? null : formatPageCursor('version', next) }
      return representJson(exchange, body)
    },
  })
}

function versionEndpoint(config: ConfigService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/config/{component}/{key}/versions/{n}',
    permission: 'config:read',
    confinement: 'scope',
    summary: 'One version at an address; it never changes',
    tag,
    params: z.strictObject({ component: componentParameter, key: keyParameter, n: versionNumber }),
    query: z.strictObject({ scope: scopeOrRoot }),
    successes: {
      200: { description: 'The version', content: json(bodies.entry), headers: { etag: 'Strong' } },
      304: { description: 'Not modified' },
    },
    problems: ['scope-not-permitted', 'version-not-found', 'invalid-header', 'store-unavailable'],
    handle: async ({ params: { component, key, n }, query: { scope } }, exchange) => {
      const refusal = refuseScope(exchange, scope)
      if (refusal !== null) return refusal
      const version = await config.version({ component, key, scope }, n)
      if (version.isErr()) return problemOf(version.error)
      const body = encodedJson(entryBody(version.value))
      return represent(exchange, { status: 200, headers: privateJson, body, etag: entryEtag(version.value) })
    },
  })
}

function diffEndpoint(config: ConfigService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/config/{component}/{key}/diff',
    permission: 'config:read',
    confinement: 'scope',
    summary: 'What changed between two versions at an address',
    tag,
    params: entryParameters,
    query: z.strictObject({ scope: scopeOrRoot, from: versionNumber, to: versionNumber }),
    successes: { 200: { description: 'Both versions and their differences', content: json(bodies.diff) } },
    problems: ['scope-not-permitted', 'version-not-found', 'store-unavailable'],
    handle: async ({ params, query: { scope, from, to } }, exchange) => {
      const refusal = refuseScope(exchange, scope)
      if (refusal !== null) return refusal
      const diff = await config.diff({ ...params, scope }, from, to)
      if (diff.isErr()) return problemOf(diff.error)
      const { from: before, to: after, differences } = diff.value
      const body = { ...params, scope, from: entryBody(before), to: entryBody(after), differences }
      return representJson(exchange, body)
    },
  })
}
