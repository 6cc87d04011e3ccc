import type { Scope } from '@cbp/core'
import { mayUseScope } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { type Problem, problem } from '../problems/problem.ts'
import { type Exchange, identityIn } from '../server/exchange.ts'
import { componentParameter, keyParameter } from './input.ts'

export const entryParameters: z.ZodObject<{ component: typeof componentParameter; key: typeof keyParameter }, z.core.$strict> =
  z.strictObject({
    component: componentParameter,
    key: keyParameter,
  })

export const tag = 'Configuration'

/** Refuses a scope outside those that the token is confined to. */
export function refuseScope(exchange: Exchange, scope: Scope): Problem | null {
  const identity = identityIn(exchange)
  if (mayUseScope(identity, scope)) return null
  const allowed = identity.configScopes?.join(', ') ?? ''
  return problem(
    'scope-not-permitted',
    `The token is confined to ${allowed === '' ? 'no scope at all' : allowed}; ${scope} is not under it.`,
    {
      headers: { 'www-authenticate': 'Bearer realm="cbp-config-api", error="insufficient_scope"' },
    },
  )
}
