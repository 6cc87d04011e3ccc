import { formatCursor, mayHearOf, type UnitChanges, watchSelection } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { problemOf } from '../problems/from-core.ts'
import { problem } from '../problems/problem.ts'
import { answerWithout, encodedJson, privateJson, represent } from '../server/answer.ts'
import type { AppDependencies } from '../server/dependencies.ts'
import { type Endpoint, endpoint, json } from '../server/endpoint.ts'
import { type Exchange, identityIn } from '../server/exchange.ts'
import { numberParameter } from '../server/parameters.ts'
import { type ChangeStream, defaultHeartbeatMs, eventStreamHeaders, streamChanges } from './change-stream.ts'
import { componentParameter, scopeParameter } from './input.ts'
import { bodies } from './schemas.ts'
import { refuseScope, tag } from './shared.ts'

type Dependencies = Pick<AppDependencies, 'core' | 'lifecycle' | 'now' | 'heartbeatMs'>

/** The route of the event stream. */
export const watchPath = '/config/watch'

const longestWaitSeconds = 55
const longPollDeadlineMs = 75_000
const tokenToleranceMs = 60_000

const selectionQuery = {
  component: componentParameter.optional(),
  scope: scopeParameter.optional(),
  since: z.string().optional().openapi({ description: 'The cursor after which to begin; without it the head', example: 'k3f9.41' }),
}

export function watchEndpoints(deps: Dependencies): readonly Endpoint[] {
  return [changesEndpoint(deps), watchEndpoint(deps)]
}

/** The part of a unit that this caller may hear of; `null` when that is nothing. The unit itself when it is all of it. */
function visibleTo(exchange: Exchange): (unit: UnitChanges) => UnitChanges | null {
  const identity = identityIn(exchange)
  if (identity.configScopes === null) return unchanged
  return (unit) => {
    const changes = unit.changes.filter(({ scope }) => mayHearOf(identity, scope))
    if (changes.length === unit.changes.length) return unit
    return changes.length === 0 ? null : { revision: unit.revision, changes }
  }
}

const unchanged = (unit: UnitChanges): UnitChanges => unit

function changesEndpoint({ core, lifecycle, now }: Dependencies): Endpoint {
  return endpoint({
    method: 'get',
    path: '/config/changes',
    permission: 'config:read',
    confinement: 'scope',
    traffic: 'stream',
    deadlineMs: longPollDeadlineMs,
    summary: 'Changes after a cursor, as soon as there are any',
    description: `Answers at once where there is something, else after \`wait\` seconds with no units. Go on with \`since\` = \`cursor\`.`,
    tag,
    query: z.strictObject({
      ...selectionQuery,
      wait: numberParameter(0, longestWaitSeconds, 'Seconds to wait for a change')
        .optional()
        .openapi({ type: 'integer', minimum: 0, maximum: longestWaitSeconds, default: 0 }),
    }),
    successes: { 200: { description: 'The changes; `cursor` is where to go on', content: json(bodies.changes) } },
    problems: ['scope-not-permitted', 'invalid-cursor', 'cursor-gone', 'store-unavailable'],
    handle: async ({ query: { component, scope, since, wait } }, exchange) => {
      const refusal = scope === undefined ? null : refuseScope(exchange, scope)
      if (refusal !== null) return refusal
      const opened = await core.config.watch(watchSelection(component ?? null, scope ?? null), since ?? null)
      if (opened.isErr()) return problemOf(opened.error)
      const watch = opened.value
      const release = lifecycle.admit({ end: watch.close })
      exchange.outgoing?.once('close', watch.close)
      const visible = visibleTo(exchange)
      const untilMs = now() + (wait ?? 0) * 1000
      try {
        for (;;) {
          const batch = await watch.next(Math.max(0, untilMs - now()))
          if (batch.isErr()) return problemOf(batch.error)
          const units = batch.value.units.flatMap((unit) => visible(unit) ?? [])
          const isDone = units.length > 0 || batch.value.units.length === 0 || now() >= untilMs
          if (!isDone) continue
          const body = encodedJson({ cursor: formatCursor(batch.value.cursor), units })
          const headers = { ...privateJson, 'cache-control': 'private, no-store' }
          return await represent(exchange, { status: 200, headers, body, etag: null })
        }
      } finally {
        release()
        exchange.outgoing?.off('close', watch.close)
      }
    },
  })
}

function watchEndpoint({ core, lifecycle, now, heartbeatMs = defaultHeartbeatMs }: Dependencies): Endpoint {
  return endpoint({
    method: 'get',
    path: watchPath,
    permission: 'config:read',
    confinement: 'scope',
    traffic: 'stream',
    deadlineMs: null,
    summary: 'Changes as a stream of server-sent events',
    description: [
      'One `change` event per revision: its id is a cursor, its data `{revision, changes: [{component, key, scope, version, op}]}`.',
      'A `heartbeat` every 15 seconds carries the head as its id and `{revision}`: everything up to it was sent before.',
      '`gone` ends the stream when the cursor no longer belongs to this history: take a new snapshot.',
      '`bye` with `{reason}` ends it at a shutdown, or when the token expires: connect again, with a fresh token in the latter case.',
      'Store a cursor only after its change has been applied. Reconnect with Last-Event-ID, or with `since`.',
      'A scope selects itself and its ancestors, because their entries count there.',
    ].join('\n\n'),
    tag,
    query: z.strictObject(selectionQuery),
    headers: { 'last-event-id': 'The id of the last event seen; counts before `since`' },
    successes: { 200: { description: 'The stream', content: { 'text/event-stream': z.string() } } },
    problems: ['scope-not-permitted', 'invalid-cursor', 'cursor-gone', 'store-unavailable', 'shutting-down'],
    handle: async ({ query: { component, scope, since } }, exchange) => {
      const refusal = scope === undefined ? null : refuseScope(exchange, scope)
      if (refusal !== null) return refusal
      if (lifecycle.isStopping())
        return problem('shutting-down', 'This instance is about to end; connect again.', { headers: { 'retry-after': '1' } })
      const lastEventId = exchange.header('last-event-id')
      const resumes = lastEventId !== undefined && lastEventId !== ''
      const start = resumes ? lastEventId : (since ?? null)
      const opened = await core.config.watch(watchSelection(component ?? null, scope ?? null), start)
      if (opened.isErr()) return problemOf(opened.error, resumes ? '#/header/last-event-id' : undefined)
      if (exchange.method === 'HEAD') {
        opened.value.close()
        return answerWithout(200, eventStreamHeaders)
      }
      const { expiresAt } = identityIn(exchange)
      const stream: ChangeStream = {
        watch: opened.value,
        visible: visibleTo(exchange),
        lifecycle,
        now,
        heartbeatMs,
        // A token within its tolerance may still open a watch, which then ends with the tolerance.
        endsAtMs: expiresAt > now() ? expiresAt : expiresAt + tokenToleranceMs,
        tellsStart: start === null,
      }
      return {
        status: 200,
        run: (outgoing, headers) => streamChanges(outgoing, { ...headers, ...eventStreamHeaders }, stream),
      }
    },
  })
}
