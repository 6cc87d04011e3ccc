import { type ConfigService, entryEtag, formatCursor, type ResolvedEntry } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { problemOf } from '../problems/from-core.ts'
import { type Encoded, encodedJson, privateJson, represent, representJson } from '../server/answer.ts'
import { type Endpoint, endpoint, json } from '../server/endpoint.ts'
import { identityIn } from '../server/exchange.ts'
import { flagParameter, formatPageCursor, limitParameter, pageCursor } from '../server/parameters.ts'
import { entryBody, resolvedBody, snapshotBody } from './bodies.ts'
import { formatPlace, listComponents, readPlace, start } from './components.ts'
import { asOfParameter, componentParameter, scopeOrRoot } from './input.ts'
import { bodies } from './schemas.ts'
import { entryParameters, refuseScope, tag } from './shared.ts'

const tagHeaders = { etag: 'Strong; other for a compressed body', 'cache-control': 'private, no-cache' }
const conditional = { 'if-none-match': 'Answers 304 when the ETag is still the same' }

export function readEndpoints(config: ConfigService): readonly Endpoint[] {
  return [componentsEndpoint(config), snapshotEndpoint(config), entryEndpoint(config)]
}

function componentsEndpoint(config: ConfigService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/config',
    permission: 'config:read',
    confinement: 'scope',
    summary: 'Components with their counts, and the head revision',
    description: [
      'A token that is confined by `cbp_scopes` sees the components of which a snapshot at one of its scopes shows something:',
      '`entries` counts the settings that show there, `revision` is the newest of them.',
      'A page of it may be shorter than `limit`, even empty: go on for as long as there is a `nextCursor`.',
    ].join(' '),
    tag,
    query: z.strictObject({
      limit: limitParameter,
      cursor: pageCursor('component', readPlace),
    }),
    successes: { 200: { description: 'A page of components by name', content: json(bodies.components) } },
    problems: ['store-unavailable'],
    handle: async ({ query: { limit, cursor } }, exchange) => {
      const listed = await listComponents(config, identityIn(exchange), cursor ?? start, limit)
      if (listed.isErr()) return problemOf(listed.error)
      const { items, next, head } = listed.value
      const body = {
        items,
        nextCursor: next === null ? null : formatPageCursor('component', formatPlace(next)),
        revision: head.revision,
        cursor: formatCursor(head),
      }
      return representJson(exchange, body)
    },
  })
}

function snapshotEndpoint(config: ConfigService): Endpoint {
  return endpoint({
    method: 'get',
    path: '/config/{component}',
    permission: 'config:read',
    confinement: 'scope',
    summary: 'Every setting of a component as it counts at a scope, all at one revision',
    tag,
    params: z.strictObject({ component: componentParameter }),
    query: z.strictObject({ scope: scopeOrRoot, asOf: asOfParameter }),
    headers: conditional,
    successes: {
      200: { description: 'The snapshot', content: json(bodies.snapshot), headers: tagHeaders },
      304: { description: 'Not modified', headers: tagHeaders },
    },
    problems: ['scope-not-permitted', 'revision-beyond-head', 'invalid-header', 'store-unavailable'],
    handle: async ({ params: { component }, query: { scope, asOf } }, exchange) => {
      const refusal = refuseScope(exchange, scope)
      if (refusal !== null) return refusal
      const snapshot = await config.snapshot(component, scope, asOf ?? null)
      if (snapshot.isErr()) return problemOf(snapshot.error)
      const body = encodedJson(snapshotBody(snapshot.value))
      return represent(exchange, { status: 200, headers: privateJson, body, etag: snapshot.value.etag })
    },
  })
}

/** The bytes of an entry, made once for as long as the cache hands out the same object. */
const resolvedBodies = new WeakMap<ResolvedEntry, Encoded>()

function encodedEntry(entry: ResolvedEntry): Encoded {
  const known = resolvedBodies.get(entry)
  if (known !== undefined) return known
  const made = encodedJson(resolvedBody(entry))
  resolvedBodies.set(entry, made)
  return made
}

/** The route of single values. */
export const entryPath = '/config/{component}/{key}'

function entryEndpoint(config: ConfigService): Endpoint {
  return endpoint({
    method: 'get',
    path: entryPath,
    permission: 'config:read',
    confinement: 'scope',
    summary: 'The value that counts at a scope, with where it comes from',
    description: 'With raw=true the entry at exactly this scope, nothing inherited; its ETag is what If-Match of a write takes.',
    tag,
    params: entryParameters,
    query: z.strictObject({ scope: scopeOrRoot, asOf: asOfParameter, raw: flagParameter }),
    headers: conditional,
    successes: {
      200: { description: 'The value', content: json(z.union([bodies.resolved, bodies.entry])), headers: tagHeaders },
      304: { description: 'Not modified', headers: tagHeaders },
    },
    problems: ['scope-not-permitted', 'config-not-found', 'entry-not-found', 'revision-beyond-head', 'invalid-header', 'store-unavailable'],
    handle: async ({ params: { component, key }, query: { scope, asOf, raw } }, exchange) => {
      const refusal = refuseScope(exchange, scope)
      if (refusal !== null) return refusal
      const at = { component, key, scope }
      if (raw) {
        const entry = await config.entry(at, asOf ?? null)
        if (entry.isErr()) return problemOf(entry.error)
        const body = encodedJson(entryBody(entry.value))
        return represent(exchange, { status: 200, headers: privateJson, body, etag: entryEtag(entry.value) })
      }
      const resolved = await config.get(at, asOf ?? null)
      if (resolved.isErr()) return problemOf(resolved.error)
      return represent(exchange, { status: 200, headers: privateJson, body: encodedEntry(resolved.value), etag: resolved.value.etag })
    },
  })
}
